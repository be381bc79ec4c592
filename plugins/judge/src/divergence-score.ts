import type { TokenLaw } from "@foretoken/core";
import type { Score } from "./score.ts";

/** Where the target gives one token more than this, it is not overruled. */
const SURE = 0.9;

/**
 * The judge without training: `e^−KL` of the draft's law from the target's at temperature 1, so that a threshold `δ` bounds the
 * divergence by `−ln δ` nats. For a chosen token, a point mass, that is the target's probability of it.
 *
 * @see Sun et al. 2026, "Revisiting Judge Decoding from First Principles", https://arxiv.org/abs/2601.04766
 */
export const divergenceScore: Score = async (node, trial) => {
  const target = await node.law({ temperature: 1 });
  if (target.probability(target.mode()) > SURE) return 0;
  if (trial.proposal === "point") return target.probability(trial.token);
  // Siblings are drawn from what the ones before them left: the whole law is that of the source's first trial.
  const { proposal } = node.trials.find(({ source }) => source === trial.source)!;
  return Math.exp(-divergence(proposal === "point" ? trial.proposal : proposal, target));
};

/** KL(draft ‖ target) in nats; infinite where the draft has mass that the target has not. */
export function divergence(draft: TokenLaw, target: TokenLaw): number {
  let sum = 0;
  draft.forEach((token, probability) => {
    sum += probability * (Math.log(probability) - target.logProbability(token));
  });
  return Math.max(0, sum);
}
