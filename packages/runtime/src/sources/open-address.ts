import { DecodingError } from "@foretoken/core";
import { Sha256 } from "../weights/sha256.ts";
import type { CatalogEntry } from "./catalog.ts";
import { type DownloadOptions, downloadFile, fileName } from "./download-file.ts";
import type { FileStore, StoredFile } from "./file-store.ts";
import { folderFiles } from "./folder-files.ts";
import { memoryFiles } from "./memory-files.ts";
import { originFiles } from "./origin-files.ts";
import { originFolderMissing } from "./origin-folder.ts";

/** Whether a source is an address that this platform can ask. Paths are addresses where there are no files. */
export function isAddress(source: string, hasFiles: boolean): boolean {
  return /^(https?|blob|data):/i.test(source) || (!hasFiles && /[/\\]|\.gguf$/i.test(source));
}

/** How an address is opened. */
export interface OpenAddressOptions
  extends Pick<DownloadOptions, "offline" | "signal" | "onProgress" | "onWarning"> {
  /** Folder of the cache, in Node; a browser stores the file for the page's origin. */
  readonly cache: string | undefined;
}

/** A file that was opened, and a way to forget it. */
export interface OpenedFile extends StoredFile {
  /** The file's name. */
  readonly id: string;
  /** Removes it from the store: it came whole, but turned out to be no model. */
  remove(): Promise<void>;
}

/**
 * Opens the file at an address, downloaded now or before.
 *
 * @param address - Relative ones belong to the page, or to the worker's script.
 * @throws As `downloadFile`; `INVALID_OPTION` for something that is no address.
 */
export async function openAddress(address: string, options: OpenAddressOptions): Promise<OpenedFile> {
  const url = absolute(address);
  const hash = new Sha256();
  hash.update(new TextEncoder().encode(url));
  return open(url, nameOf(hash.hex()), fileName(url), undefined, options);
}

/** Opens a file of the catalog from the model hub. @throws As `downloadFile`. */
export function openCatalogFile(
  id: string,
  entry: CatalogEntry,
  options: OpenAddressOptions,
): Promise<OpenedFile> {
  return open(`https://huggingface.co/${entry.hubPath}`, nameOf(entry.sha256), id, entry, options);
}

const nameOf = (sha256: string) => sha256.slice(0, 32);

async function open(
  url: string,
  name: string,
  id: string,
  expected: DownloadOptions["expected"],
  { cache, ...options }: OpenAddressOptions,
): Promise<OpenedFile> {
  const store = await fileStore(cache, options.onWarning);
  const file = await downloadFile(url, { ...options, store, name, expected });
  return { ...file, id, remove: () => store.remove(name) };
}

async function fileStore(
  cache: string | undefined,
  onWarning: (sentence: string) => void,
): Promise<FileStore> {
  if (cache !== undefined) return folderFiles(cache);
  const missing = await originFolderMissing();
  if (missing === undefined) return originFiles();
  onWarning(`The model is kept in memory and downloaded again next time: ${missing}.`);
  return memoryFiles();
}

function absolute(address: string): string {
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    return new URL(address, base).href;
  } catch (cause) {
    throw new DecodingError("INVALID_OPTION", {
      message: `"${address}" is not an address.`,
      fix: "Give one such as https://example.org/model.gguf, a known name, or the file itself.",
      cause,
    });
  }
}
