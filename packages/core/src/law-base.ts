import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";

/** A mass at or below this is rounding. */
export const NOTHING = 1e-12;

/** What every kind of law answers the same way. */
export abstract class LawBase implements TokenLaw {
  readonly vocabularySize: number;

  constructor(vocabularySize: number) {
    this.vocabularySize = vocabularySize;
  }

  abstract probability(token: TokenId): number;
  abstract forEach(visit: (token: TokenId, probability: number) => void): void;
  abstract draw(uniform: number): TokenId;
  abstract without(token: TokenId): TokenLaw | undefined;
  abstract residual(other: TokenLaw): TokenLaw | undefined;

  logProbability(token: TokenId): number {
    return Math.log(this.probability(token));
  }

  mode(): TokenId {
    let best = 0;
    let most = -1;
    this.forEach((token, probability) => {
      if (probability > most) {
        best = token;
        most = probability;
      }
    });
    return best;
  }

  entropy(): number {
    let sum = 0;
    this.forEach((_, probability) => {
      sum -= probability * Math.log(probability);
    });
    return Math.max(0, sum);
  }
}

/**
 * The index of `id` in a list, or that of the first higher one.
 * @param ids - Ascending.
 */
export function lowerBound(ids: Int32Array, id: TokenId): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The index at which the running sum of `weights` first exceeds `target`: never one of weight 0, and the last of the
 * others where rounding runs over the end.
 */
export function indexAt(weights: Float64Array, target: number): number {
  let sum = 0;
  let last = 0;
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index];
    if (weight <= 0) continue;
    sum += weight;
    if (sum > target) return index;
    last = index;
  }
  return last;
}
