import type { TokenId } from "@foretoken/core";

/** What happened at one place of doubt. */
export interface TrialsReport {
  /** Index in the text of the first token of each trial. */
  readonly position: number;
  /** Nats, of the law of that token. */
  readonly entropy: number;
  readonly trials: readonly TrialOutcome[];
  /** Index of the trial that became text. */
  readonly kept: number;
}

/** One trial as it ended. */
export interface TrialOutcome {
  /** At least one. */
  readonly tokens: readonly TokenId[];
  /** Mean of `-ln p` over its tokens, under the laws they were drawn from; `exp` of it is the perplexity. */
  readonly meanSurprise: number;
}
