import { DenseLaw } from "./dense-law.ts";
import { DecodingError } from "./errors.ts";
import { SparseLaw } from "./sparse-law.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";

/** All mass on one token. */
export function pointLaw(token: TokenId, vocabularySize: number): TokenLaw {
  return new SparseLaw(Int32Array.of(token), Float64Array.of(1), 1, vocabularySize);
}

/**
 * A law that lists its tokens.
 *
 * @param ids - Ascending `[n]`; kept, not copied.
 * @param weights - Not negative, not all 0, `[n]`, in any scale; kept, not copied.
 * @throws `SHAPE_MISMATCH` when the lengths differ, `INVALID_OPTION` for ids out of order or range and for weights that
 * are negative or no numbers, `EMPTY_LAW` when no weight is positive.
 */
export function sparseLaw(ids: Int32Array, weights: Float64Array, vocabularySize: number): TokenLaw {
  if (ids.length !== weights.length) {
    throw new DecodingError("SHAPE_MISMATCH", {
      message: `A law got ${ids.length} ids and ${weights.length} weights.`,
      fix: "Give each token one weight.",
    });
  }
  let total = 0;
  for (let index = 0, least = 0; index < ids.length; index++) {
    if (ids[index] < least || ids[index] >= vocabularySize) {
      throw new DecodingError("INVALID_OPTION", {
        message: `Token ${index} of a law is ${ids[index]}, but must be from ${least} to ${vocabularySize - 1}.`,
        fix: "List tokens in ascending order, each once, by ids of this vocabulary.",
      });
    }
    checkWeight(ids[index], weights[index]);
    least = ids[index] + 1;
    total += weights[index];
  }
  if (!(total > 0)) throw nothingLeft(ids.length);
  return new SparseLaw(ids, weights, total, vocabularySize);
}

/**
 * A law over the whole vocabulary.
 *
 * @param weights - Not negative, not all 0, `[V]`, in any scale; kept, not copied.
 * @throws `INVALID_OPTION` for a weight that is no finite number, `EMPTY_LAW` when none is positive.
 */
export function denseLaw(weights: Float64Array): TokenLaw {
  const law = DenseLaw.of(weights);
  if (law !== undefined) return law;
  weights.forEach((weight, token) => {
    checkWeight(token, weight);
  });
  throw nothingLeft(weights.length);
}

function checkWeight(token: TokenId, weight: number): void {
  if (weight >= 0 && weight < Number.POSITIVE_INFINITY) return;
  throw new DecodingError("INVALID_OPTION", {
    message: `The weight of token ${token} in a law is ${weight}, but must be a number of at least 0.`,
    fix: "Check where the weights come from; NaN mostly comes from 0 / 0 or Infinity - Infinity.",
  });
}

function nothingLeft(count: number): DecodingError {
  return new DecodingError("EMPTY_LAW", {
    message: `None of the ${count} tokens of a law has a positive weight.`,
    fix: "At least one token must stay possible: look at bans, bias and processors.",
  });
}
