import { type Drafter, parseOptions } from "@foretoken/core";
import { sourceDrafter } from "@foretoken/drafting";
import { optionsSchema, type SpeculativeSamplingOptions } from "./options.ts";

const NAME = "speculative-sampling";

/**
 * Drafts a chain: each token is drawn from the draft's law behind the one before. Verified by rejection sampling, which
 * keeps the target's law.
 *
 * @throws `INVALID_OPTION`
 * @see Leviathan et al. 2023, Algorithm 1, https://arxiv.org/abs/2211.17192; Chen et al. 2023, Algorithm 2,
 * https://arxiv.org/abs/2302.01318
 */
export function speculativeSampling(options: SpeculativeSamplingOptions): Drafter {
  const { source, length, temperature, topK } = parseOptions(NAME, optionsSchema, options);
  return sourceDrafter({
    name: NAME,
    source,
    defaultLimit: length,
    passes: (nodes) => nodes,
    // A chain has no siblings to draw: for a target that takes the most probable token, so does the draft.
    warp: { temperature, greedyTemperature: 0, topK },
    async grow({ tree, limit, expand, uniform }) {
      for (let node = 0; tree.size < Math.min(limit, length); ) {
        const [law] = await expand([node]);
        if (law === undefined) return;
        node = tree.add(node, law.draw(uniform()), law, NAME);
      }
    },
  });
}
