import { expect, test } from "vitest";
import { type TrialCountRule, trialCount } from "./trial-count.ts";

const DEFAULTS = { minEntropy: 0.01, maxEntropy: 1.5, maxTrials: 10 };

/** The least entropy in nats that is worth 2, 3, … 10 trials. */
const THRESHOLDS = {
  code: [0.1756, 0.3411, 0.5067, 0.6722, 0.8378, 1.0033, 1.1689, 1.3344, 1.5],
  paper: [0.308, 0.457, 0.606, 0.755, 0.904, 1.053, 1.202, 1.351, 1.5],
} as const;

/** The same, solved by hand: the table above is rounded. */
const exact = {
  code: (trials: number) => 0.01 + (1.49 * (trials - 1)) / 9,
  paper: (trials: number) => 0.01 + (1.49 * trials) / 10,
};

test.each(["code", "paper"] as const)("formula %s reaches each number at its threshold", (formula) => {
  const rule: TrialCountRule = { ...DEFAULTS, formula };
  for (const [index, rounded] of THRESHOLDS[formula].entries()) {
    const trials = index + 2;
    const threshold = exact[formula](trials);
    expect(threshold).toBeCloseTo(rounded, 4);
    expect([trialCount(threshold - 1e-6, rule), trialCount(threshold + 1e-6, rule)]).toEqual([
      trials - 1,
      trials,
    ]);
  }
});

test("the two formulas part where entropy is low, as in the paper's worked example", () => {
  const both = (entropy: number) =>
    (["code", "paper"] as const).map((formula) => trialCount(entropy, { ...DEFAULTS, formula }));
  expect(both(0.92)).toEqual([6, 6]);
  expect(both(0.43)).toEqual([3, 2]);
});

test.each(["code", "paper"] as const)("formula %s grows with entropy, between 1 and the most", (formula) => {
  for (const maxTrials of [1, 2, 7, 40]) {
    const rule: TrialCountRule = { minEntropy: 0.3, maxEntropy: 2, maxTrials, formula };
    const counts = Array.from({ length: 400 }, (_, step) => trialCount(step / 100, rule));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect([counts[0], counts.at(-1)]).toEqual([1, maxTrials]);
    expect(counts.every(Number.isInteger)).toBe(true);
  }
});
