import { type Drafter, parseOptions } from "@foretoken/core";
import { type Growth, sourceDrafter } from "@foretoken/drafting";
import { growGreedily } from "./greedy-tree.ts";
import { type DyspecOptions, optionsSchema } from "./options.ts";
import { growByThreshold } from "./threshold-tree.ts";

const NAME = "dyspec";

/**
 * Drafts trees without a fixed shape: tokens are drawn, without replacement among siblings, where the draft itself says that
 * verification is most likely to come. To be verified by `rejection()`, the default for drafters that draw.
 *
 * @throws `INVALID_OPTION`
 * @see Xiong et al. 2024, "DySpec", https://arxiv.org/abs/2410.11744
 */
export function dyspec(options: DyspecOptions): Drafter {
  const given = parseOptions(NAME, optionsSchema, options);
  const { source, variant, nodes, maxDepth, threshold, batch = 4, temperature, topK } = given;
  const greedy = (growth: Growth) => growGreedily(growth, { maxDepth, batch });
  const layered = (growth: Growth) =>
    growByThreshold(growth, { maxDepth, threshold: threshold ?? 1 / growth.limit });
  return sourceDrafter({
    name: NAME,
    source,
    warp: { temperature, topK },
    defaultLimit: nodes,
    // About two nodes a level, as trees of a decided draft have.
    passes: (count) => Math.min(maxDepth, Math.ceil(count / 2)),
    grow: variant === "greedy" ? greedy : layered,
  });
}
