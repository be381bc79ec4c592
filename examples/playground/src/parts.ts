import { plugin as aded } from "@foretoken/aded";
import { plugin as cntp } from "@foretoken/cntp";
import { createRegistry, type PartJson, type Plugin, type Registry } from "@foretoken/core";
import { plugin as draftModel } from "@foretoken/draft-model";
import { plugin as dyspec } from "@foretoken/dyspec";
import { plugin as layerSkip } from "@foretoken/layer-skip";
import { plugin as promptLookup } from "@foretoken/prompt-lookup";
import { plugin as rsd } from "@foretoken/rsd";
import { plugins as skipDecode } from "@foretoken/skip-decode";
import { plugin as speculativeSampling } from "@foretoken/speculative-sampling";
import { plugin as tokenRecycling } from "@foretoken/token-recycling";

/** The packages that have them, so that a program made of a run knows what to import. To offer another, add it here. */
const PLUGINS: Readonly<Record<string, Plugin | readonly Plugin[]>> = {
  "@foretoken/aded": aded,
  "@foretoken/cntp": cntp,
  "@foretoken/draft-model": draftModel,
  "@foretoken/dyspec": dyspec,
  "@foretoken/layer-skip": layerSkip,
  "@foretoken/prompt-lookup": promptLookup,
  "@foretoken/rsd": rsd,
  "@foretoken/skip-decode": skipDecode,
  "@foretoken/speculative-sampling": speculativeSampling,
  "@foretoken/token-recycling": tokenRecycling,
};

/** The parts a user can choose from: the page makes its form of them, and the worker builds them. */
export function playgroundRegistry(): Registry {
  const registry = createRegistry();
  for (const [from, plugins] of Object.entries(PLUGINS)) {
    for (const plugin of [plugins].flat()) registry.register(plugin, { from });
  }
  return registry;
}

/** How the page decodes until the user chooses: two drafters, so that there are sources to tell apart. */
export const FIRST_DECODER: PartJson = {
  use: "speculative",
  drafters: [{ use: "prompt-lookup" }, { use: "token-recycling" }],
  budget: "auto",
};

/** What everything else is measured against. */
export const PLAIN: PartJson = { use: "plain" };
