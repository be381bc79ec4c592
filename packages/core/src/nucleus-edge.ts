/** Sums that differ by less are the same: they were added in another order. */
const ROUNDING = 1e-12;

const BUCKETS = 256;

/** Where the nucleus ends: all tokens above the logit stay, and some of those that have it. */
export interface NucleusEdge {
  readonly logit: number;
  /** How many of the tokens with exactly this logit stay, at least 1. */
  readonly count: number;
}

/**
 * Finds the fewest most probable tokens whose weights reach a sum, without sorting: adds the weights up in buckets of
 * near logits, and goes on inside the bucket where the sum is reached, until all logits left are equal.
 *
 * ```
 * wanted 0.9    logits 8.0 … 6.1 │ 6.0 … 4.1 │ 4.0 … 2.1      weights 0.7 │ 0.25 │ 0.05
 *                                  ^ reached here: the same again with the logits from 6.0 to 4.1
 * ```
 *
 * @param logits - `[n]`, at least one, all finite.
 * @param weights - `[n]` or longer, above 0, growing with the logits.
 * @param wanted - The sum to reach, up to rounding.
 * @returns The end of all tokens when they do not reach it.
 */
export function nucleusEdge(logits: Float32Array, weights: Float64Array, wanted: number): NucleusEdge {
  let missing = wanted * (1 - ROUNDING);
  let [row, masses] = [logits, weights];
  for (;;) {
    let high = row[0];
    let low = row[0];
    for (let at = 1; at < row.length; at++) {
      if (row[at] > high) high = row[at];
      if (row[at] < low) low = row[at];
    }
    if (high === low) {
      const count = Math.ceil(missing / masses[0]);
      return { logit: high, count: Math.max(1, Math.min(row.length, count)) };
    }

    // The highest logit is in the first bucket and the lowest in another, so that every round drops one of them.
    const perUnit = (BUCKETS - 1) / (high - low);
    const last = ((high - low) * perUnit) | 0;
    const sums = new Float64Array(BUCKETS);
    const counts = new Int32Array(BUCKETS);
    for (let at = 0; at < row.length; at++) {
      const bucket = ((high - row[at]) * perUnit) | 0;
      sums[bucket] += masses[at];
      counts[bucket]++;
    }
    let edge = 0;
    while (edge < last && sums[edge] < missing) missing -= sums[edge++];

    const inside = new Float32Array(counts[edge]);
    const insideMasses = new Float64Array(counts[edge]);
    for (let at = 0, size = 0; at < row.length; at++) {
      if ((((high - row[at]) * perUnit) | 0) !== edge) continue;
      inside[size] = row[at];
      insideMasses[size++] = masses[at];
    }
    [row, masses] = [inside, insideMasses];
  }
}
