import { expNegative, sumExp } from "./exponential.ts";
import { largest } from "./largest.ts";
import { denseLaw, pointLaw, sparseLaw } from "./laws.ts";
import { type NucleusEdge, nucleusEdge } from "./nucleus-edge.ts";
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

/**
 * The law of processed logits: softmax at the temperature, cut to top-k, then top-p, then min-p.
 *
 * Nothing is sorted: a row of 50,000 logits takes a pass for the weights, and the few tokens that may stay are searched
 * for the edge of the nucleus.
 *
 * @param logits - `[V]`, no NaN.
 * @param mode - The id of the largest one.
 */
export function truncatedLaw(logits: Float32Array, mode: TokenId, truncation: Truncation): TokenLaw {
  const { topK, topP, minP } = truncation;
  if (logits[mode] === Number.POSITIVE_INFINITY) return truncatedLaw(onlyInfinite(logits), mode, truncation);
  // The largest gap still counts as 0 where the temperature is so small that its inverse overflows.
  const sharpness = Math.min(1 / truncation.temperature, Number.MAX_VALUE);
  const most = logits[mode];
  const scale: Scale = { most, sharpness };
  if (topK > 0 && topK < logits.length) {
    const possible = largest(logits, topK).filter((token) => logits[token] > Number.NEGATIVE_INFINITY);
    return cut(weigh(possible.sort(), logits, scale), logits, truncation);
  }
  if (topP < 1 || minP > 0) return cut(near(logits, scale, topP, minP), logits, truncation);
  const weights = new Float64Array(logits.length);
  for (let token = 0; token < logits.length; token++) {
    weights[token] = expNegative((most - logits[token]) * sharpness);
  }
  return denseLaw(weights);
}

/** How logits become weights; that of the largest one is 1. */
interface Scale {
  readonly most: number;
  /** `1 / temperature` */
  readonly sharpness: number;
}

/** Tokens that may stay. */
interface Candidates {
  /** Ascending `[n]`. */
  readonly ids: Int32Array;
  /** `[n]` */
  readonly weights: Float64Array;
  /** What they add up to. */
  readonly held: number;
  /** The weight that top-p is a part of, at least `held`. */
  readonly mass: number;
}

function weigh(ids: Int32Array, logits: Float32Array, { most, sharpness }: Scale, mass?: number): Candidates {
  const weights = new Float64Array(ids.length);
  let held = 0;
  for (let at = 0; at < ids.length; at++) {
    weights[at] = expNegative((most - logits[ids[at]]) * sharpness);
    held += weights[at];
  }
  return { ids, weights, held, mass: mass ?? held };
}

/** Most nuclei end before weights of `e^-6`. */
const NARROW = 6;

/** The tokens so near to the best one that top-p and min-p can keep them. */
function near(logits: Float32Array, scale: Scale, topP: number, minP: number): Candidates {
  const within = (reach: number) => atLeast(logits, scale.most - reach / scale.sharpness);
  // A hair more than min-p asks for: it is checked on the weights themselves.
  const minReach = minP > 0 ? 1e-9 - Math.log(minP) : Number.POSITIVE_INFINITY;
  if (topP >= 1) return weigh(within(minReach), logits, scale);

  const mass = sumExp(logits, scale.most, scale.sharpness);
  const few = weigh(within(Math.min(minReach, NARROW)), logits, scale, mass);
  if (few.held >= topP * mass || minReach <= NARROW) return few;
  // Tokens of less than `(1 - topP) · mass / V` hold less than `1 - topP` together: the others reach `topP` without them.
  const reach = Math.log(logits.length / ((1 - topP) * mass));
  return weigh(within(Math.min(minReach, reach + 1e-9)), logits, scale, mass);
}

/** Ids of the logits from `least` on, never of `-Infinity`; ascending. */
function atLeast(logits: Float32Array, least: number): Int32Array {
  const ids = roomFor(logits.length);
  const bound = Math.max(least, -Number.MAX_VALUE);
  let count = 0;
  for (let token = 0; token < logits.length; token++) {
    if (logits[token] >= bound) ids[count++] = token;
  }
  return ids.slice(0, count);
}

const EVERYTHING: NucleusEdge = { logit: Number.NEGATIVE_INFINITY, count: Number.POSITIVE_INFINITY };

/** What top-p and then min-p leave of the candidates. */
function cut({ ids, weights, mass }: Candidates, logits: Float32Array, { topP, minP }: Truncation): TokenLaw {
  const row = new Float32Array(ids.length);
  for (let at = 0; at < ids.length; at++) row[at] = logits[ids[at]];
  const edge = topP < 1 ? nucleusEdge(row, weights, topP * mass) : EVERYTHING;
  let kept = 0;
  let equal = 0;
  for (let at = 0; at < ids.length; at++) {
    const isInside = row[at] > edge.logit || (row[at] === edge.logit && equal++ < edge.count);
    if (!isInside || weights[at] < minP) continue;
    ids[kept] = ids[at];
    weights[kept++] = weights[at];
  }
  if (kept === 1) return pointLaw(ids[0], logits.length);
  return sparseLaw(ids.slice(0, kept), weights.slice(0, kept), logits.length);
}

/** A row in which what was infinite is equally probable and everything else impossible. */
function onlyInfinite(logits: Float32Array): Float32Array {
  return logits.map((logit) => (logit === Number.POSITIVE_INFINITY ? 0 : Number.NEGATIVE_INFINITY));
}

let scratch = new Int32Array(0);

/** Room for ids until the next row: whoever keeps some copies them. */
function roomFor(vocabularySize: number): Int32Array {
  if (scratch.length < vocabularySize) scratch = new Int32Array(vocabularySize);
  return scratch;
}
