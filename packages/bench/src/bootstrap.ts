import { quantile } from "./statistics.ts";

/** Options of {@link bootstrapInterval}. */
export interface BootstrapOptions {
  /** Resamples; default 2,000. */
  readonly resamples?: number;
  /** Share of the resamples that the interval holds, in (0, 1); default 0.95. */
  readonly level?: number;
  /** Default 1; the same seed gives the same interval. */
  readonly seed?: number;
}

/** Lower and upper end of an interval. */
export type Interval = readonly [low: number, high: number];

/**
 * Percentile bootstrap over strata: prompts are drawn with replacement inside their own group, so that every resample
 * holds as many prompts of each group as the data does.
 *
 * @param strata - Values by group; a value belongs to one prompt, so pairs stay together when it is a ratio.
 * @param statistic - What is estimated, from strata of the same sizes.
 * @see Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
 */
export function bootstrapInterval(
  strata: readonly (readonly number[])[],
  statistic: (strata: readonly (readonly number[])[]) => number,
  { resamples = 2000, level = 0.95, seed = 1 }: BootstrapOptions = {},
): Interval {
  const uniform = mulberry32(seed);
  const estimates: number[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    const drawn = strata.map((values) => values.map(() => values[Math.floor(uniform() * values.length)]!));
    estimates.push(statistic(drawn));
  }
  const tail = (1 - level) / 2;
  return [quantile(estimates, tail), quantile(estimates, 1 - tail)];
}

/** Uniform numbers in [0, 1) from 32 bits of state: plenty for resampling. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
