import type { TokenId, TokenLaw } from "@foretoken/core";

/** How much probability makes a token typical. */
export interface Typicality {
  /** `ε` */
  readonly epsilon: number;
  /** `α`, below 1. */
  readonly alpha: number;
}

/**
 * `min(ε, α·e^−H)`: tokens with more probability are typical of a law. The likeliest token always is, because its probability is at
 * least `e^−H`.
 */
export function typicalBound(law: TokenLaw, { epsilon, alpha }: Typicality): number {
  return Math.min(epsilon, alpha * Math.exp(-law.entropy()));
}

/**
 * Draws from the law cut to tokens above `bound`, in token-id order as {@link TokenLaw.draw} does.
 *
 * @param bound - As {@link typicalBound}, so that at least one token is above; at 0 this is the law's own draw.
 * @param uniform - In [0, 1).
 */
export function drawTypical(law: TokenLaw, bound: number, uniform: number): TokenId {
  if (bound <= 0) return law.draw(uniform);
  const typical: (readonly [token: TokenId, below: number])[] = [];
  let mass = 0;
  law.forEach((token, probability) => {
    if (probability <= bound) return;
    typical.push([token, mass]);
    mass += probability;
  });
  return typical.findLast(([, below]) => below <= uniform * mass)![0];
}
