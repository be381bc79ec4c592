/**
 * `e^-x`, exactly 1 at 0 and within a relative 2e-12 elsewhere: a table and three terms of the series, four times as
 * fast as `Math.exp`. Whole rows of a vocabulary go through it at every token.
 *
 * @param x - At least 0; `Infinity` and whatever is above 700 give 0.
 */
export const expNegative: (x: number) => number = (() => {
  // All constants sit in this scope, where engines know that they never change: a third faster than in the module's.
  const range = 44; // e^-44 is 8e-20.
  const steps = 256;
  const first = -1 / steps;
  const second = 1 / (2 * steps ** 2);
  const third = -1 / (6 * steps ** 3);
  const table = Float64Array.from({ length: range * steps + 1 }, (_, step) => Math.exp(-step / steps));

  return (x: number): number => {
    if (!(x < range)) return beyondTable(x);
    const scaled = x * steps;
    const step = (scaled + 0.5) | 0;
    const rest = scaled - step; // At most half a step to either side.
    return table[step] * (1 + rest * (first + rest * (second + rest * third)));
  };
})();

/**
 * The sum of `e^((logit - most) · sharpness)` over a row: at least 1 when `most` is its largest logit.
 *
 * @param row - Logits `[V]`, none above `most`; `-Infinity` adds nothing.
 */
export function sumExp(row: Float32Array, most: number, sharpness: number): number {
  // Two sums that do not wait for each other, and nothing else in the loop: it is most of the price of a law.
  let even = 0;
  let odd = 0;
  const pairs = row.length & ~1;
  for (let at = 0; at < pairs; at += 2) {
    even += expNegative((most - row[at]) * sharpness);
    odd += expNegative((most - row[at + 1]) * sharpness);
  }
  if (pairs < row.length) even += expNegative((most - row[pairs]) * sharpness);
  return even + odd;
}

/** Kept apart so that the usual case stays small enough to be inlined. */
function beyondTable(x: number): number {
  return x < 700 ? Math.exp(-x) : 0;
}
