import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DecodingError } from "./errors.ts";
import type { GuaranteeLevel } from "./guarantee.ts";
import { PART_KINDS, type PartKind } from "./part-kind.ts";
import { checkPlugin, checkSpecification, isPartName, type Plugin } from "./plugin.ts";
import { showValue } from "./show-value.ts";

/** The keyword in `package.json` that marks a package with plugins. */
export const PLUGIN_KEYWORD = "foretoken-plugin";

/** One entry of the `foretoken` block in `package.json`. */
export interface PluginManifest {
  readonly name: string;
  readonly kind: PartKind;
  readonly specification: string;
  readonly guarantee?: GuaranteeLevel;
}

/** What is read of a package that has plugins. */
export interface PluginPackage {
  readonly name: string;
  readonly version: string | undefined;
  readonly description: string | undefined;
  /** Absolute, links resolved. */
  readonly folder: string;
  /** Absolute path of what `import` loads, `undefined` when `package.json` names nothing. */
  readonly entry: string | undefined;
  /** The `foretoken` block as it stands there, one item for each part. */
  readonly manifests: readonly unknown[];
}

/**
 * Reads a folder's `package.json`.
 *
 * @returns `undefined` for anything but a package with the keyword.
 * @throws `INVALID_PLUGIN` for a package with the keyword whose `package.json` cannot be understood.
 */
export async function readPluginPackage(folder: string): Promise<PluginPackage | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, "package.json"), "utf8");
  } catch {
    return undefined;
  }
  // Most packages are none of ours: they are not even parsed.
  if (!text.includes(`"${PLUGIN_KEYWORD}"`)) return undefined;
  const content = parsePackage(text, folder);
  const { name, version, description, keywords, foretoken } = content;
  if (!Array.isArray(keywords) || !keywords.includes(PLUGIN_KEYWORD)) return undefined;
  if (typeof name !== "string" || typeof foretoken !== "object" || foretoken === null) {
    throw new DecodingError("INVALID_PLUGIN", {
      message: `The package in ${folder} has the keyword ${PLUGIN_KEYWORD}, but its name is ${showValue(name)} and its "foretoken" block ${showValue(foretoken)}.`,
      fix: 'Add "foretoken": { "name": …, "kind": …, "specification": "v1" } to its package.json.',
    });
  }
  const entry = entryOf(content);
  return {
    name,
    version: typeof version === "string" ? version : undefined,
    description: typeof description === "string" ? description : undefined,
    folder,
    entry: entry === undefined ? undefined : join(folder, entry),
    manifests: [foretoken].flat(),
  };
}

function parsePackage(text: string, folder: string): Record<string, unknown> {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new DecodingError("INVALID_PLUGIN", {
      message: `The package.json in ${folder} is no JSON.`,
      fix: "Install the package again.",
      cause,
    });
  }
}

/** The file that `import` would load, relative to the package. */
function entryOf({ exports, main }: Record<string, unknown>): string | undefined {
  if (exports === undefined || exports === null) return typeof main === "string" ? main : "index.js";
  const all = exports as Record<string, unknown>;
  return resolveConditions(typeof exports === "object" && "." in all ? all["."] : exports);
}

/** @see https://nodejs.org/api/packages.html#conditional-exports */
function resolveConditions(target: unknown): string | undefined {
  if (typeof target === "string") return target;
  if (typeof target !== "object" || target === null) return undefined;
  for (const [condition, value] of Object.entries(target)) {
    if (!["node", "import", "default"].includes(condition)) continue;
    const file = resolveConditions(value);
    if (file !== undefined) return file;
  }
  return undefined;
}

/**
 * The name under which a manifest would be known; the rest of it may be wrong.
 * @throws `INVALID_PLUGIN`
 */
export function manifestName(manifest: unknown, from: PluginPackage): string {
  const { name } = (manifest ?? {}) as Partial<PluginManifest>;
  if (isPartName(name)) return name;
  throw new DecodingError("INVALID_PLUGIN", {
    message: `${show(from)} offers a plugin named ${showValue(name)}.`,
    fix: 'Use a kebab-case name in the "foretoken" block of its package.json.',
  });
}

/** @throws `INVALID_PLUGIN`, `WRONG_SPECIFICATION` */
export function checkManifest(manifest: unknown, from: PluginPackage): asserts manifest is PluginManifest {
  const { name, kind, specification } = manifest as Partial<PluginManifest>;
  checkSpecification(specification, `Plugin ${name} of ${show(from)}`);
  if (PART_KINDS.includes(kind as PartKind)) return;
  throw new DecodingError("INVALID_PLUGIN", {
    message: `${show(from)} says that ${name} is a ${showValue(kind)}.`,
    fix: `Use one of ${PART_KINDS.join(", ")} in the "foretoken" block of its package.json.`,
  });
}

/**
 * Imports the package and picks the plugin of that name among its exports `plugin`, `plugins` and `default`.
 * @throws `INVALID_PLUGIN`, `WRONG_SPECIFICATION`
 */
export async function importPlugin({ name, kind }: PluginManifest, from: PluginPackage): Promise<Plugin> {
  const refuse = (fault: string, fix: string, cause?: unknown): never => {
    throw new DecodingError("INVALID_PLUGIN", { message: `${show(from)} ${fault}.`, fix, cause });
  };
  let module: Record<string, unknown> = {};
  try {
    if (from.entry === undefined) refuse("exports nothing that can be imported", 'Give it an export ".".');
    module = await import(pathToFileURL(from.entry!).href);
  } catch (cause) {
    refuse(
      `could not be imported: ${cause instanceof Error ? cause.message : String(cause)}`,
      "Install it again; if it is your own, build it.",
      cause,
    );
  }
  const exported: unknown[] = [module.plugin, module.plugins, module.default].flat();
  const plugin = exported.find((value) => (value as Partial<Plugin> | undefined)?.name === name);
  if (plugin === undefined) {
    refuse(
      `exports no plugin named ${name}`,
      'Its index must export "plugin" with the name in its package.json, or "plugins" for several.',
    );
  }
  checkPlugin(plugin, show(from));
  if (plugin.kind !== kind) {
    refuse(
      `says in package.json that ${name} is a ${kind}, but exports a ${plugin.kind}`,
      "Make the two agree.",
    );
  }
  return plugin;
}

/** A package in a message: name and folder. */
export function show({ name, folder }: PluginPackage): string {
  return `${name} (${folder})`;
}
