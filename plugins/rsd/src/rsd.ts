import { type Drafter, parseOptions } from "@foretoken/core";
import { sourceDrafter } from "@foretoken/drafting";
import { branchingNodes, growConstantBranching } from "./constant-branching.ts";
import { optionsSchema, type RsdOptions } from "./options.ts";
import { growStochasticBeam } from "./stochastic-beam.ts";

const NAME = "rsd";

/**
 * Drafts trees whose siblings are drawn without replacement: a stochastic beam (RSD-S), or with `branching` a fixed number of
 * children for each level (RSD-C). To be verified by `rejection()`, the default for drafters that draw.
 *
 * @throws `INVALID_OPTION`
 * @see Jeon et al. 2024, "Recursive Speculative Decoding", https://arxiv.org/abs/2402.14160
 */
export function rsd(options: RsdOptions): Drafter {
  const {
    source,
    branching,
    width = 3,
    depth = 4,
    temperature,
    topK,
  } = parseOptions(NAME, optionsSchema, options);
  return sourceDrafter({
    name: NAME,
    source,
    warp: { temperature, topK },
    ...(branching === undefined
      ? {
          defaultLimit: width * depth,
          passes: (nodes) => Math.min(depth, Math.ceil(nodes / width)),
          grow: (growth) => growStochasticBeam(growth, { width, depth }),
        }
      : {
          defaultLimit: branchingNodes(branching),
          passes: (nodes) =>
            branching.filter((_, level) => branchingNodes(branching.slice(0, level)) < nodes).length,
          grow: (growth) => growConstantBranching(growth, branching),
        }),
  });
}
