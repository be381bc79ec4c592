import { plugin as aded } from "@foretoken/aded";
import { plugins as chimera } from "@foretoken/chimera";
import { plugin as cntp } from "@foretoken/cntp";
import { createRegistry, type PartJson, type Plugin, type Registry } from "@foretoken/core";
import { plugin as draftModel } from "@foretoken/draft-model";
import { plugin as dyspec } from "@foretoken/dyspec";
import { plugin as hiddenTransfer } from "@foretoken/hidden-transfer";
import { plugin as judge } from "@foretoken/judge";
import { plugin as layerSkip } from "@foretoken/layer-skip";
import { plugins as lud } from "@foretoken/lud";
import { plugin as ppd } from "@foretoken/ppd";
import { plugin as promptLookup } from "@foretoken/prompt-lookup";
import { plugin as rsd } from "@foretoken/rsd";
import { plugins as skipDecode } from "@foretoken/skip-decode";
import { plugin as speculativeSampling } from "@foretoken/speculative-sampling";
import { plugin as tokenRecycling } from "@foretoken/token-recycling";
import { plugin as trainedDraft } from "@foretoken/trained-draft";
import { plugin as typicalAcceptance } from "@foretoken/typical-acceptance";
import type { Presets } from "./form/part-edit.ts";

/** The packages that have them, so that a program made of a run knows what to import. To offer another, add it here. */
const PLUGINS: Readonly<Record<string, Plugin | readonly Plugin[]>> = {
  "@foretoken/aded": aded,
  "@foretoken/chimera": chimera,
  "@foretoken/cntp": cntp,
  "@foretoken/draft-model": draftModel,
  "@foretoken/dyspec": dyspec,
  "@foretoken/hidden-transfer": hiddenTransfer,
  "@foretoken/judge": judge,
  "@foretoken/layer-skip": layerSkip,
  "@foretoken/lud": lud,
  "@foretoken/ppd": ppd,
  "@foretoken/prompt-lookup": promptLookup,
  "@foretoken/rsd": rsd,
  "@foretoken/skip-decode": skipDecode,
  "@foretoken/speculative-sampling": speculativeSampling,
  "@foretoken/token-recycling": tokenRecycling,
  "@foretoken/trained-draft": trainedDraft,
  "@foretoken/typical-acceptance": typicalAcceptance,
};

/** The trained part that a part begins with: each is for SmolLM2-135M-Instruct, and refused by other models. */
const HEAD_OF = {
  chimera: "smollm2-chimera",
  "chimera-draft": "smollm2-chimera",
  "hidden-transfer": "smollm2-hidden-transfer",
  judge: "smollm2-judge",
  lud: "smollm2-lud",
  "lud-draft": "smollm2-lud",
  ppd: "smollm2-ppd",
  "trained-draft": "smollm2-draft",
};

/** Trained parts that the page's server has. */
export const HEADS: readonly string[] = [...new Set(Object.values(HEAD_OF))];

/** What parts begin with where the user chooses them. */
export const PRESETS: Presets = Object.fromEntries(
  Object.entries(HEAD_OF).map(([part, head]) => [part, { head }]),
);

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
