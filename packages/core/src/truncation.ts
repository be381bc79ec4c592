import { expNegative } from "./exponential.ts";
import { largest } from "./largest.ts";
import { denseLaw, pointLaw, sparseLaw } from "./laws.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";

/** Which tokens stay, and how sharp the law is. */
export interface Truncation {
  /** Above 0. */
  readonly temperature: number;
  /** 0 keeps all. */
  readonly topK: number;
  /** 1 keeps all. */
  readonly topP: number;
  /** 0 keeps all. */
  readonly minP: number;
}

/** Sums that differ by less are the same: they were added in another order. */
const ROUNDING = 1e-12;
/** How much deeper each look for the nucleus goes than the one before. */
const DEEPER = 1 / 32;

/**
 * The law of processed logits: softmax at the temperature, cut to top-k, then top-p, then min-p.
 *
 * Nothing is sorted but what may stay, so a row of 50,000 logits takes a fraction of a millisecond.
 *
 * @param logits - `[V]`, no NaN.
 * @param mode - The id of the largest one.
 */
export function truncatedLaw(
  logits: Float32Array,
  mode: TokenId,
  { temperature, topK, topP, minP }: Truncation,
): TokenLaw {
  const vocabularySize = logits.length;
  const most = logits[mode]!;
  if (topK > 0 && topK < vocabularySize) {
    const ids = largest(logits, topK);
    const weights = new Float64Array(ids.length);
    const mass = softmaxWeights(
      Float32Array.from(ids, (token) => logits[token]!),
      most,
      1 / temperature,
      weights,
    );
    return lawOfBest(ids, weights, topP * mass, minP, vocabularySize);
  }
  const isWhole = topP >= 1 && minP === 0;
  const weights = isWhole ? new Float64Array(vocabularySize) : scratchRow(vocabularySize);
  const mass = softmaxWeights(logits, most, 1 / temperature, weights);
  if (isWhole) return denseLaw(weights);
  const ids = topP < 1 ? nucleusCandidates(weights, topP * mass) : atLeast(weights, minP);
  ids.sort((a, b) => weights[b]! - weights[a]! || a - b);
  return lawOfBest(
    ids,
    Float64Array.from(ids, (token) => weights[token]!),
    topP * mass,
    minP,
    vocabularySize,
  );
}

/** Ids, ascending, that surely hold the fewest tokens whose weights reach `wanted`. */
function nucleusCandidates(weights: Float64Array, wanted: number): Int32Array {
  for (let threshold = DEEPER; threshold > 1e-30; threshold *= DEEPER) {
    let reached = 0;
    for (let token = 0; token < weights.length; token++) {
      if (weights[token]! >= threshold) reached += weights[token]!;
    }
    if (reached >= wanted) return atLeast(weights, threshold);
  }
  return atLeast(weights, 0);
}

function atLeast(weights: Float64Array, threshold: number): Int32Array {
  const ids: TokenId[] = [];
  for (let token = 0; token < weights.length; token++) {
    if (weights[token]! >= threshold) ids.push(token);
  }
  return Int32Array.from(ids);
}

/**
 * @param ids - Best first.
 * @param weights - Of those, 1 for the largest logit.
 * @param wanted - The weight that top-p keeps; at least one token stays.
 */
function lawOfBest(
  ids: Int32Array,
  weights: Float64Array,
  wanted: number,
  minP: number,
  vocabularySize: number,
): TokenLaw {
  let count = 0;
  for (let reached = 0; count < ids.length; count++) {
    if (count > 0 && (reached >= wanted * (1 - ROUNDING) || weights[count]! < minP)) break;
    reached += weights[count]!;
  }
  if (count === 1) return pointLaw(ids[0]!, vocabularySize);
  const weightOf = new Map(Array.from({ length: count }, (_, at) => [ids[at]!, weights[at]!]));
  const kept = ids.slice(0, count).sort();
  return sparseLaw(
    kept,
    Float64Array.from(kept, (token) => weightOf.get(token)!),
    vocabularySize,
  );
}

/**
 * Writes `exp((logit - most) * sharpness)` of every logit.
 *
 * @param most - The largest logit; those equal to it get exactly 1, infinite ones too.
 * @param weights - `[V]`, overwritten.
 * @returns Their sum.
 */
function softmaxWeights(
  logits: Float32Array,
  most: number,
  sharpness: number,
  weights: Float64Array,
): number {
  let sum = 0;
  for (let token = 0; token < logits.length; token++) {
    const logit = logits[token]!;
    const weight = logit === most ? 1 : expNegative((most - logit) * sharpness);
    weights[token] = weight;
    sum += weight;
  }
  return sum;
}

let scratch = new Float64Array(0);

/** Room for the weights of one row; laws that keep their weights make their own. */
function scratchRow(vocabularySize: number): Float64Array {
  if (scratch.length !== vocabularySize) scratch = new Float64Array(vocabularySize);
  return scratch;
}
