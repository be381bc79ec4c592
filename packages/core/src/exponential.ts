/** Where the table ends: `e^-44` is 8e-20. */
const RANGE = 44;
const STEPS = 256;

/** From here on `e^-x` is taken for 0; it is below 1e-304. */
const VANISHED = 700;

const TABLE = Float64Array.from({ length: RANGE * STEPS + 1 }, (_, step) => Math.exp(-step / STEPS));
const LAST = Math.exp(-RANGE);

// The series of e^-r for a rest r of at most half a step, by powers of the rest counted in steps.
const FIRST = -1 / STEPS;
const SECOND = 1 / (2 * STEPS ** 2);
const THIRD = -1 / (6 * STEPS ** 3);

/**
 * `e^-x`, exactly 1 at 0 and within a relative 2e-12 elsewhere: a table and three terms of the series, four times as
 * fast as `Math.exp`. Whole rows of a vocabulary go through it at every token.
 *
 * @param x - At least 0; `Infinity` and whatever is above 700 give 0.
 */
export function expNegative(x: number): number {
  if (!(x < RANGE)) return x < VANISHED ? expNegative(x - RANGE) * LAST : 0;
  const scaled = x * STEPS;
  const step = (scaled + 0.5) | 0;
  const rest = scaled - step;
  return TABLE[step] * (1 + rest * (FIRST + rest * (SECOND + rest * THIRD)));
}
