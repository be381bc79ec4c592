import { mulberry32 } from "./mulberry32.ts";
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
