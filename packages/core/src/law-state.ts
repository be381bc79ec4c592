import type { DraftWarp } from "./draft-source.ts";
import type { Pass } from "./session.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";

/**
 * How raw logits become the law tokens are drawn from, at one place of one path. Immutable: `advance` returns a new
 * state, so every node of a token tree has its own.
 */
export interface LawState {
  /** Whether the law is the argmax of the raw logits, so that nothing but the argmax need be read. */
  readonly isPlainGreedy: boolean;
  /** The state behind `token`. */
  advance(token: TokenId): LawState;
  /**
   * The processed law of a row.
   * @throws `EMPTY_LAW` when processing leaves no token; `INVALID_LOGITS` when the row holds NaN.
   */
  law(pass: Pass, row: number): Promise<TokenLaw>;
  /**
   * The law of logits that did not come from a pass, such as a draft model's.
   * @param logits - `[V]`, not changed.
   * @param warp - For a draft to draw from: at which temperature, and how many tokens are kept.
   * @throws As {@link LawState.law}
   */
  lawOf(logits: Float32Array, warp?: DraftWarp): TokenLaw;
  /** Log-probabilities of a chosen token, before and after processing. */
  logProbabilities(pass: Pass, row: number, token: TokenId, top: number): Promise<TokenLogProbability>;
}

/** One candidate with its log-probability. */
export interface Candidate {
  readonly token: TokenId;
  readonly logProbability: number;
}

/** The log-probabilities of one returned token. */
export interface TokenLogProbability {
  readonly token: TokenId;
  /** Natural log under the softmax of the model's own logits. */
  readonly raw: number;
  /**
   * Natural log under the processed law; at temperature 0 under the softmax of the processed logits at temperature 1,
   * so that it is not 0 for every token.
   */
  readonly processed: number;
  /** The most probable tokens under the model's own logits, best first. */
  readonly top: readonly Candidate[];
}
