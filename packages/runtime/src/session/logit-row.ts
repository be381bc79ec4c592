import type { TopK } from "@foretoken/core";

/** Index of the largest value, the lowest one among equals; -1 when any value is NaN. */
export function argmaxOf(logits: Float32Array): number {
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i];
    if (value <= most) continue;
    if (Number.isNaN(value)) return -1;
    most = value;
    best = i;
  }
  return best;
}

/** Natural log of the sum of exponentials, in float64; the row holds no NaN. */
export function logSumExpOf(logits: Float32Array): number {
  const most = logits[argmaxOf(logits)];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - most);
  return most + Math.log(sum);
}

/** The `k` largest logits in order, the lower id first among equals; the row holds no NaN. */
export function topKOf(logits: Float32Array, k: number): TopK {
  const size = Math.min(k, logits.length);
  const ids = new Int32Array(size);
  const values = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  let filled = 0;
  let least = Number.NEGATIVE_INFINITY;
  // The best so far, sorted: few values of a row ever pass the threshold, so that moving some of them up is cheap.
  for (let id = 0; id < logits.length; id++) {
    const value = logits[id];
    if (filled === size && !(value > least)) continue;
    let at = filled < size ? filled++ : size - 1;
    for (; at > 0 && value > values[at - 1]; at--) {
      values[at] = values[at - 1];
      ids[at] = ids[at - 1];
    }
    values[at] = value;
    ids[at] = id;
    least = values[size - 1];
  }
  const total = logSumExpOf(logits);
  return { ids, logProbabilities: values.map((value) => value - total) };
}
