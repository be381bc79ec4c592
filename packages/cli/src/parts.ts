import { createRegistry, type DecodingError, hasCode, type Registry } from "@foretoken/core";
import { discoverPlugins } from "@foretoken/core/discovery";
import { plugin as promptLookup } from "@foretoken/prompt-lookup";
import { plugin as tokenRecycling } from "@foretoken/token-recycling";

/** The built-in parts and the plugins this command comes with. */
export function shippedRegistry(): Registry {
  const registry = createRegistry();
  registry.register(promptLookup, { from: "@foretoken/prompt-lookup" });
  registry.register(tokenRecycling, { from: "@foretoken/token-recycling" });
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
