import { type DraftSource, parseOptions } from "@foretoken/core";
import { ChimeraState } from "./chimera-state.ts";
import { Networks } from "./network.ts";
import { type ChimeraDraftOptions, draftSchema } from "./options.ts";

const NAME = "chimera-draft";

/**
 * Chimera's network as a draft: sampled strategies draw their trees from it. It is bound to the weights it was trained on.
 *
 * @throws `INVALID_OPTION`
 * @see Zeng et al. 2024, "Chimera", https://arxiv.org/abs/2402.15758
 */
export function chimeraDraft(options: ChimeraDraftOptions): DraftSource {
  const { head } = parseOptions(NAME, draftSchema, options);
  return networkSource(NAME, new Networks(head, NAME));
}

/** Price of a pass of the network in passes of the target: one layer and a part of the vocabulary, and reading states back. */
export const PASS_COST = 0.2;

/** A draft source that runs a network. */
export function networkSource(name: string, networks: Networks): DraftSource {
  return {
    name,
    passCost: () => PASS_COST,
    requirements: () => ({ hidden: ["final"], prefillHidden: ["final"] }),
    unsupported: (target) => networks.unsupported(target),
    prepare: (target, { signal } = {}) => networks.prepare(target, signal),
    start: ({ model, session }) => new ChimeraState(networks.on(model), session),
  };
}
