import { plugin as aded } from "@foretoken/aded";
import { plugin as bigram } from "@foretoken/bigram";
import { plugins as chimera } from "@foretoken/chimera";
import { plugin as cntp } from "@foretoken/cntp";
import { createRegistry, type DecodingError, hasCode, type Registry } from "@foretoken/core";
import { discoverPlugins } from "@foretoken/core/discovery";
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

const SHIPPED = {
  "@foretoken/aded": aded,
  "@foretoken/bigram": bigram,
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

/** The built-in parts and the plugins this command comes with. */
export function shippedRegistry(): Registry {
  const registry = createRegistry();
  for (const [from, plugins] of Object.entries(SHIPPED)) {
    for (const plugin of [plugins].flat()) registry.register(plugin, { from });
  }
  return registry;
}

/**
 * Announces the plugins installed in the project around `folder`; their code is not imported yet.
 * @returns What is wrong with installed packages; the others are announced all the same.
 */
export async function announceInstalled(
  registry: Registry,
  folder: string,
): Promise<readonly DecodingError[]> {
  const { plugins, faults } = await discoverPlugins(folder);
  const clashes: DecodingError[] = [];
  for (const plugin of plugins) {
    try {
      registry.announce(plugin);
    } catch (error) {
      if (!hasCode(error, "NAME_TAKEN")) throw error;
      clashes.push(error);
    }
  }
  return [...faults, ...clashes];
}
