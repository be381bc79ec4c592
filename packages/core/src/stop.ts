import type { FinishReason } from "./decoder.ts";
import type { TokenId } from "./tokens.ts";

/**
 * Decides after every single token whether the answer ends there. Immutable, so that trials on branches can each have
 * one.
 */
export interface StopState {
  /** Set when the answer has ended. */
  readonly finish: FinishReason | undefined;
  /** Tokens that may still follow, by budget and context. */
  readonly remaining: number;
  /** The state behind one more token. */
  advance(token: TokenId): StopState;
}
