import { createRegistry, type PartJson, type Registry } from "@foretoken/core";
import { plugin as promptLookup } from "@foretoken/prompt-lookup";
import { plugin as tokenRecycling } from "@foretoken/token-recycling";

/** The parts a user can choose from; the page makes its form of them, and the worker builds them. To offer another, add it here. */
export function playgroundRegistry(): Registry {
  const registry = createRegistry();
  registry.register(promptLookup, { from: "@foretoken/prompt-lookup" });
  registry.register(tokenRecycling, { from: "@foretoken/token-recycling" });
  return registry;
}

/** How the page decodes until the user chooses: two drafters, so that there are sources to tell apart. */
export const FIRST_DECODER: PartJson = {
  use: "speculative",
  drafters: [{ use: "prompt-lookup" }, { use: "token-recycling" }],
};

/** What everything else is measured against. */
export const PLAIN: PartJson = { use: "plain" };
