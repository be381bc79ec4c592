import { DecodingError } from "./errors.ts";
import { expNegative, sumExp } from "./exponential.ts";
import { largest } from "./largest.ts";
import type { TopK } from "./session.ts";
import type { TokenId } from "./tokens.ts";

/*
 * What can be asked of one row of logits `[V]`, float32, with `-Infinity` for what is impossible. Logarithms are natural.
 */

/**
 * The id of the largest logit, the lowest id among equals.
 * @throws `INVALID_LOGITS` for a row with NaN, `EMPTY_LAW` when all are `-Infinity`.
 */
export function argmax(row: Float32Array): TokenId {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  const whole = row.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    // "Not at most" is also true of NaN.
    if (row[at] <= most && row[at + 1] <= most && row[at + 2] <= most && row[at + 3] <= most) continue;
    for (let token = at; token < at + 4; token++) take(token);
  }
  for (let token = whole; token < row.length; token++) take(token);
  if (best === -1) {
    throw new DecodingError("EMPTY_LAW", {
      message: `All ${row.length} logits are -Infinity: no token is possible.`,
      fix: "Check the bans and processors, or the model's weights when there are none.",
    });
  }
  return best;

  function take(token: TokenId) {
    if (row[token] <= most) return;
    if (Number.isNaN(row[token])) {
      throw new DecodingError("INVALID_LOGITS", {
        message: `The logit of token ${token} is NaN.`,
        fix: "Check the processors, the model's weights and the device.",
      });
    }
    most = row[token];
    best = token;
  }
}

/**
 * Log of the sum of exponentials.
 * @throws As {@link argmax}, and `INVALID_LOGITS` for a logit of `Infinity`.
 */
export function logSumExp(row: Float32Array): number {
  const most = finiteMost(row);
  return most + Math.log(sumExp(row, most, 1));
}

/**
 * The `k` largest logits with their log-probabilities under the softmax of the whole row, best first, the lower id first
 * among equals; all `V` when there are fewer.
 *
 * @param k - At least 1.
 * @param total - The row's {@link logSumExp}, where it is known already.
 * @throws As {@link logSumExp}.
 */
export function topK(row: Float32Array, k: number, total: number = logSumExp(row)): TopK {
  const ids = largest(row, k);
  return { ids, logProbabilities: logProbabilitiesOf(row, ids, total) };
}

/**
 * Log-probabilities of some tokens under the softmax of the whole row, in the order of `ids`.
 *
 * @param total - The row's {@link logSumExp}, where it is known already.
 * @throws As {@link logSumExp}.
 */
export function logProbabilitiesOf(
  row: Float32Array,
  ids: ArrayLike<TokenId>,
  total: number = logSumExp(row),
): Float64Array {
  return Float64Array.from(ids, (token) => row[token] - total);
}

/**
 * Entropy of the softmax of the row, in nats.
 * @throws As {@link logSumExp}.
 */
export function entropy(row: Float32Array): number {
  const most = finiteMost(row);
  let total = 0;
  let weighted = 0;
  for (let token = 0; token < row.length; token++) {
    const below = most - row[token];
    const mass = expNegative(below);
    if (mass === 0) continue; // 0 · Infinity counts as 0.
    total += mass;
    weighted += mass * below;
  }
  return Math.log(total) + weighted / total;
}

/** Where a token stands in its row. */
export interface RankAndMass {
  /** Tokens before it: with a larger logit, or an equal one and a lower id. */
  readonly rank: number;
  /** Their probability: the token is in the top-p set exactly when this is below `p`. In [0, 1]. */
  readonly mass: number;
}

/**
 * Rank of a token and the probability of what is ranked before it.
 * @throws As {@link logSumExp}.
 */
export function rankAndMass(row: Float32Array, id: TokenId): RankAndMass {
  const most = finiteMost(row);
  let rank = 0;
  let before = 0;
  let total = 0;
  for (let token = 0; token < row.length; token++) {
    const mass = expNegative(most - row[token]);
    total += mass;
    if (row[token] > row[id] || (row[token] === row[id] && token < id)) {
      rank++;
      before += mass;
    }
  }
  return { rank, mass: before / total };
}

function finiteMost(row: Float32Array): number {
  const best = argmax(row);
  if (row[best] !== Number.POSITIVE_INFINITY) return row[best];
  throw new DecodingError("INVALID_LOGITS", {
    message: `The logit of token ${best} is Infinity, so there are no log-probabilities.`,
    fix: "Check the model's weights and the device; half-precision overflows at 65504.",
  });
}
