import type { TokenId } from "./tokens.ts";

/** A probability distribution over the next token, of the target or of a draft. Immutable. */
export interface TokenLaw {
  /** `V`. */
  readonly vocabularySize: number;
  /** Probability of one token, 0 for ids outside its support. */
  probability(token: TokenId): number;
  /** Natural log of {@link TokenLaw.probability}, `-Infinity` for 0. */
  logProbability(token: TokenId): number;
  /** The most probable token, the lowest id among equals. */
  mode(): TokenId;
  /** Calls `visit` for every token with a positive probability, in ascending id order. */
  forEach(visit: (token: TokenId, probability: number) => void): void;
  /**
   * The token at `uniform` of the cumulative distribution in token-id order. Never a token of probability 0.
   * @param uniform - In [0, 1).
   */
  draw(uniform: number): TokenId;
  /** Natural-log entropy, nats. */
  entropy(): number;
  /** This law without `token`, renormalised, or `undefined` when nothing is left. */
  without(token: TokenId): TokenLaw | undefined;
  /**
   * The law `[this - other]+`, renormalised, or `undefined` when the two are equal up to rounding.
   * @see Leviathan et al. 2023, section 2.3
   */
  residual(other: TokenLaw): TokenLaw | undefined;
}
