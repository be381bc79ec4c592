import type { DepthCount } from "@foretoken/core";
import type { Pass } from "./run.ts";

/** Counts, for each depth, the passes that offered a draft so deep and those that accepted it; also of a run that goes on. */
export function acceptanceOf(passes: readonly Pick<Pass, "step">[]): readonly DepthCount[] {
  const counts: { depth: number; offered: number; accepted: number }[] = [];
  for (const { step } of passes) {
    if (step === undefined) continue;
    const deepest = deepestNode(step.tree);
    for (let depth = 1; depth <= deepest; depth++) {
      counts[depth - 1] ??= { depth, offered: 0, accepted: 0 };
      counts[depth - 1].offered++;
      if (depth <= step.accepted) counts[depth - 1].accepted++;
    }
  }
  return counts;
}

function deepestNode(tree: readonly { readonly parent: number }[]): number {
  const depths: number[] = [];
  for (const { parent } of tree) depths.push(parent < 0 ? 0 : depths[parent] + 1);
  return Math.max(0, ...depths);
}
