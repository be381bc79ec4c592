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
  const precedes = (a: TokenId, b: TokenId) => row[a] > row[b] || (row[a] === row[b] && a < b);

  /** Moves the root down to where both children precede it: the root of the heap is its worst token. */
  const sink = (from: number, size: number) => {
    const token = heap[from];
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && precedes(heap[child], heap[child + 1])) child++;
      if (precedes(heap[child], token)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = token;
  };

  for (let token = 0; token < heap.length; token++) heap[token] = token;
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(at, heap.length);
  let worst = row[heap[0]];
  for (let token = heap.length; token < row.length; token++) {
    // An equal one has a higher id than all that are kept.
    if (!(row[token] > worst)) continue;
    heap[0] = token;
    sink(0, heap.length);
    worst = row[heap[0]];
  }
  for (let size = heap.length - 1; size > 0; size--) {
    const last = heap[0];
    heap[0] = heap[size];
    heap[size] = last;
    sink(0, size);
  }
  return heap;
}
