import { DecodingError } from "@foretoken/core";
import { node } from "./node.ts";

/**
 * Where models, written graphs and measurements are kept.
 *
 * `FORETOKEN_CACHE` wins; else the platform's cache folder: `%LOCALAPPDATA%\foretoken\Cache`,
 * `~/Library/Caches/foretoken`, or `$XDG_CACHE_HOME/foretoken` (`~/.cache/foretoken`). The folder may not exist.
 *
 * @returns An absolute path.
 */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  const { join, resolve, isAbsolute } = node.path;
  if (environment.FORETOKEN_CACHE) return resolve(environment.FORETOKEN_CACHE);
  const home = homeFolder();
  if (platform === "win32") {
    return join(environment.LOCALAPPDATA ?? join(home, "AppData", "Local"), "foretoken", "Cache");
  }
  if (platform === "darwin") return join(home, "Library", "Caches", "foretoken");
  const base = environment.XDG_CACHE_HOME;
  return join(base && isAbsolute(base) ? base : join(home, ".cache"), "foretoken");
}

/** Accounts of services may have no home. */
function homeFolder(): string {
  try {
    return node.os.homedir() || node.os.tmpdir();
  } catch {
    return node.os.tmpdir();
  }
}

/** What the operating system calls a folder that cannot take a file. */
const UNWRITABLE = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "ENOTDIR",
  "EEXIST",
  "ENAMETOOLONG",
  "ENOENT",
]);

/** A file system's complaint as `CACHE_NOT_WRITABLE`; any other error as it is. */
export function asCacheError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException)?.code;
  if (code === undefined || !UNWRITABLE.has(code)) return error;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return new DecodingError("CACHE_NOT_WRITABLE", {
    message: `The cache cannot hold "${path}": ${(error as Error).message}.`,
    fix: isFull
      ? "Free disk space, or set FORETOKEN_CACHE to a folder on another disk."
      : "Set FORETOKEN_CACHE to a folder this user can write to.",
    cause: error,
  });
}
