/** How entropy becomes a number of trials. */
export interface TrialCountRule {
  /** `Hmin`, nats. */
  readonly minEntropy: number;
  /** `Hmax`, nats, above `Hmin`. */
  readonly maxEntropy: number;
  /** `Nmax` */
  readonly maxTrials: number;
  readonly formula: "code" | "paper";
}

/**
 * The number of trials `N` at a place, `1 <= N <= maxTrials`: more the less sure the model is.
 *
 * ```
 * code:   N = trunc(1 + (Nmax - 1) * clamp(z, 0, 1))      z = (H - Hmin) / (Hmax - Hmin)
 * paper:  N = clamp(floor(z * Nmax), 1, Nmax)
 * ```
 *
 * @param entropy - `H`, nats.
 * @see Wang et al. 2025, Algorithm 1, https://arxiv.org/abs/2507.03038, and its repository, which differ.
 */
export function trialCount(entropy: number, rule: TrialCountRule): number {
  const { minEntropy, maxEntropy, maxTrials, formula } = rule;
  const doubt = (entropy - minEntropy) / (maxEntropy - minEntropy);
  if (formula === "paper") return Math.max(1, Math.min(maxTrials, Math.floor(doubt * maxTrials)));
  return Math.trunc(1 + (maxTrials - 1) * Math.max(0, Math.min(1, doubt)));
}
