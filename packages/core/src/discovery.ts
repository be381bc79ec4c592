import { readdir, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DecodingError, hasCode } from "./errors.ts";
import {
  checkManifest,
  importPlugin,
  manifestName,
  type PluginManifest,
  type PluginPackage,
  readPluginPackage,
  show,
} from "./plugin-package.ts";
import type { AnnouncedPlugin } from "./registry.ts";

/** An installed plugin, not imported yet. Give it to `registry.announce()`. */
export interface DiscoveredPlugin extends AnnouncedPlugin {
  readonly version: string | undefined;
  /** Absolute, links resolved. */
  readonly folder: string;
  /** Why it cannot be used; `load()` rejects with it. */
  readonly fault: DecodingError | undefined;
}

/** What a search found. */
export interface Discovery {
  readonly plugins: readonly DiscoveredPlugin[];
  /** What is wrong with installed packages; a broken one never hides the others. */
  readonly faults: readonly DecodingError[];
}

/** Packages read at once: more would only hold file handles. */
const BATCH = 64;

/**
 * Finds installed plugins: packages with the keyword `foretoken-plugin` in the `node_modules` folders that Node would
 * search from `fromFolder`, workspace links included. Reads nothing but `package.json` files; code is imported by a
 * plugin's `load()`. Where two packages offer one name, using it fails with `NAME_TAKEN`.
 *
 * For Node: import it from `@foretoken/core/discovery`.
 *
 * @param fromFolder - Default: the working directory.
 */
export async function discoverPlugins(fromFolder: string = process.cwd()): Promise<Discovery> {
  const plugins = new Map<string, DiscoveredPlugin>();
  const faults: DecodingError[] = [];
  const collect = async <Value>(work: () => Value | Promise<Value>): Promise<Value | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error)) throw error;
      faults.push(error);
      return undefined;
    }
  };

  const seen = new Set<string>();
  for (const modules of nodeModulesAbove(resolve(fromFolder))) {
    const folders = await packageFolders(modules);
    for (let start = 0; start < folders.length; start += BATCH) {
      const batch = folders.slice(start, start + BATCH);
      const packages = await Promise.all(batch.map((folder) => collect(() => readPluginPackage(folder))));
      for (const found of packages) {
        // The nearer folder hides the farther one, as for `import`.
        if (found === undefined || seen.has(found.name)) continue;
        seen.add(found.name);
        for (const manifest of found.manifests) {
          const name = await collect(() => manifestName(manifest, found));
          if (name === undefined) continue;
          const plugin = discovered(name, manifest, found, plugins.get(name));
          if (plugin.fault !== undefined) faults.push(plugin.fault);
          plugins.set(name, plugin);
        }
      }
    }
  }
  return { plugins: [...plugins.values()], faults };
}

function discovered(
  name: string,
  manifest: unknown,
  found: PluginPackage,
  holder: DiscoveredPlugin | undefined,
): DiscoveredPlugin {
  const fault = holder === undefined ? faultOf(manifest, found) : nameTaken(name, holder, found);
  const { kind, guarantee } = manifest as PluginManifest;
  return {
    name,
    kind,
    guarantee,
    summary: found.description,
    from: found.name,
    version: found.version,
    folder: found.folder,
    fault,
    load: async () => {
      if (fault !== undefined) throw fault;
      return importPlugin(manifest as PluginManifest, found);
    },
  };
}

function faultOf(manifest: unknown, found: PluginPackage): DecodingError | undefined {
  try {
    checkManifest(manifest, found);
    return undefined;
  } catch (error) {
    if (hasCode(error)) return error;
    throw error;
  }
}

function nameTaken(name: string, holder: DiscoveredPlugin, claimant: PluginPackage): DecodingError {
  return new DecodingError("NAME_TAKEN", {
    message: `Two packages offer ${name}: ${holder.from} (${holder.folder}) and ${show(claimant)}.`,
    fix: "Uninstall one of them, or register the plugin you want yourself.",
  });
}

/** `node_modules` in the folder and in all above it, nearest first. */
function nodeModulesAbove(folder: string): readonly string[] {
  const above = dirname(folder);
  return [join(folder, "node_modules"), ...(above === folder ? [] : nodeModulesAbove(above))];
}

/** Folders of the packages in a `node_modules`, links resolved, in alphabetical order. */
async function packageFolders(modules: string): Promise<readonly string[]> {
  const names = await list(modules);
  const nested = await Promise.all(
    names.map(async (name) => {
      if (name.startsWith(".")) return [];
      if (!name.startsWith("@")) return [join(modules, name)];
      return (await list(join(modules, name))).map((inner) => join(modules, name, inner));
    }),
  );
  return Promise.all(nested.flat().map((folder) => realpath(folder).catch(() => folder)));
}

async function list(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch((): string[] => [])).sort();
}
