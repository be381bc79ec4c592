import { spawn } from "node:child_process";
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DecodingError } from "@foretoken/core";

/** Another engine that prompts can be given to. */
export interface Peer {
  /** File name of its runner without the end, and of its folder. */
  readonly runner: "node-llama-cpp" | "transformers-js";
  readonly name: string;
  readonly version: string;
  /** What npm installs, with versions. */
  readonly packages: readonly string[];
  /** Flags npm needs besides. */
  readonly flags?: readonly string[];
  /** What keeps its installation from fetching from anywhere but the package registry. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where an installed peer is. */
export interface InstalledPeer {
  readonly folder: string;
  /** The script to run there. */
  readonly runner: string;
}

/**
 * Installs a peer in a folder of its own below `root`, unless it is there; nothing else of the project changes.
 *
 * @throws `DOWNLOAD_FAILED` with the end of npm's output; the signal's reason.
 */
export async function installPeer(
  peer: Peer,
  root: string,
  {
    onProgress,
    signal,
  }: { readonly onProgress?: (sentence: string) => void; readonly signal?: AbortSignal } = {},
): Promise<InstalledPeer> {
  const folder = join(root, `${peer.runner}-${peer.version}`);
  const runner = join(folder, "runner.mjs");
  const done = join(folder, "installed.json");
  const packages = JSON.stringify(peer.packages);
  await mkdir(folder, { recursive: true });
  if ((await readIfThere(done)) !== packages) {
    onProgress?.(`Installing ${peer.packages.join(" and ")} in ${folder}.`);
    await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
    await npmInstall(peer, folder, signal);
    await writeFile(`${done}.tmp`, packages);
    await rename(`${done}.tmp`, done);
  }
  await copyFile(fileURLToPath(new URL(`../runners/${peer.runner}.mjs`, packageFile())), runner);
  return { folder, runner };
}

/** A file one level below the package, whether this runs from the sources or from the build. */
function packageFile(): string {
  return import.meta.url.replace(/\/(src\/peers|dist)\/[^/]*$/, "/dist/index.js");
}

async function npmInstall(peer: Peer, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const flags = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error", ...(peer.flags ?? [])];
  const child = spawn(npm, ["install", ...flags, ...peer.packages], {
    cwd: folder,
    env: { ...process.env, ...peer.env },
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
    signal,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return;
  throw new DecodingError("DOWNLOAD_FAILED", {
    message: `npm could not install ${peer.packages.join(" and ")}: ${output.trim().slice(-600)}`,
    fix: `See what npm says in ${folder}, or run without this peer.`,
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
