import type { TokenId } from "./tokens.ts";

/**
 * Changes logits depending on the path so far. States are immutable values: a token tree holds many at once.
 *
 * @typeParam State - Anything that `advance` replaces and never changes in place.
 */
export interface LogitsProcessor<State = unknown> {
  readonly name: string;
  /** The state behind the prompt. */
  init(prompt: readonly TokenId[]): State;
  /** The state behind one more token of output. Never called behind an end token. */
  advance(state: State, token: TokenId): State;
  /**
   * Changes `logits` `[V]` in place; `-Infinity` bans a token.
   * @param logits - A private copy of the row.
   */
  apply(state: State, logits: Float32Array): void;
}
