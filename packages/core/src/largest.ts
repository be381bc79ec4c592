import type { TokenId } from "./tokens.ts";

/**
 * The tokens with the `k` largest logits, best first, the lower id first among equals. Looks at each logit once against
 * the worst one kept, so that a small `k` costs little more than reading the row.
 *
 * @param row - Logits `[V]` without NaN.
 * @param k - At least 1; all `V` tokens when there are fewer.
 * @returns Token ids `[min(k, V)]`.
 */
export function largest(row: Float32Array, k: number): Int32Array {
  const heap = new Int32Array(Math.min(k, row.length));
  for (let token = 0; token < heap.length; token++) heap[token] = token;
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(row, heap, at, heap.length);
  // Among equals those that are kept already have the lower ids.
  for (
    let token = nextAbove(row, row[heap[0]], heap.length);
    token < row.length;
    token = nextAbove(row, row[heap[0]], token + 1)
  ) {
    heap[0] = token;
    sink(row, heap, 0, heap.length);
  }
  for (let size = heap.length - 1; size > 0; size--) {
    const last = heap[0];
    heap[0] = heap[size];
    heap[size] = last;
    sink(row, heap, 0, size);
  }
  return heap;
}

/** The first token from `from` on with a logit above `logit`, or `V`: nearly all of the time goes here. */
function nextAbove(row: Float32Array, logit: number, from: TokenId): TokenId {
  let token = from;
  while (token < row.length && row[token] <= logit) token++;
  return token;
}

/** Moves a token down to where both children precede it: the root of the heap is its worst token. */
function sink(row: Float32Array, heap: Int32Array, from: number, size: number): void {
  const token = heap[from];
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && precedes(row, heap[child], heap[child + 1])) child++;
    if (precedes(row, heap[child], token)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = token;
}

function precedes(row: Float32Array, a: TokenId, b: TokenId): boolean {
  return row[a] > row[b] || (row[a] === row[b] && a < b);
}
