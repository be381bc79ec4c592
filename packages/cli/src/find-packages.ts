import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A copy of a package. */
export interface PackageCopy {
  readonly name: string;
  readonly version: string;
  /** Absolute, links resolved. */
  readonly folder: string;
}

/**
 * All copies of packages that code in `folders` could get: in `node_modules` folders there and above, and in those of
 * installed packages.
 *
 * @param names - Packages to look for.
 */
export async function findPackages(
  folders: readonly string[],
  names: readonly string[],
): Promise<readonly PackageCopy[]> {
  const copies = new Map<string, PackageCopy>();
  const roots = new Set(folders.flatMap(nodeModulesAbove));
  for (const root of roots) await search(root, names, copies);
  return [...copies.values()].sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

async function search(
  root: string,
  names: readonly string[],
  copies: Map<string, PackageCopy>,
): Promise<void> {
  for (const name of names) {
    const folder = await realpath(join(root, name)).catch(() => undefined);
    if (folder === undefined || copies.has(folder)) continue;
    const text = await readFile(join(folder, "package.json"), "utf8").catch(() => undefined);
    if (text !== undefined) copies.set(folder, { name, version: String(JSON.parse(text).version), folder });
  }
  for (const folder of await packageFolders(root)) {
    await search(join(folder, "node_modules"), names, copies);
  }
}

/** Folders of packages in a `node_modules` folder, those of scopes included. */
async function packageFolders(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  // Links lead to workspace packages, which have their own folders above.
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
  const nested = folders.map(({ name }) =>
    name.startsWith("@") ? packageFolders(join(root, name)) : [join(root, name)],
  );
  return (await Promise.all(nested)).flat();
}

function nodeModulesAbove(folder: string): string[] {
  const here = join(folder, "node_modules");
  const above = dirname(folder);
  return above === folder ? [here] : [here, ...nodeModulesAbove(above)];
}
