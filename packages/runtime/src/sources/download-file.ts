import { DecodingError, hasCode } from "@foretoken/core";
import { sampleHash } from "../weights/sample-hash.ts";
import { Sha256 } from "../weights/sha256.ts";
import type { FileRecord, FileStore, PartialFile, StoredFile } from "./file-store.ts";
import { type HttpAnswer, openHttp } from "./http-answer.ts";
import { memoryFiles } from "./memory-files.ts";
import type { OnProgress } from "./progress.ts";
import { throwIfAborted } from "./store-file.ts";

const ANSWER_WITHIN_MS = 30_000;
/** A file that is here already waits no longer for the server's word. */
const CHECK_WITHIN_MS = 4_500;
const HASH_CHUNK = 1 << 22;

/** What to download, and where to. */
export interface DownloadOptions {
  readonly store: FileStore;
  /** Name in the store. */
  readonly name: string;
  /** What the file must be, when that is known; then nobody is asked about a file that is here. */
  readonly expected?: { readonly size: number; readonly sha256: string };
  /** Do not touch the network. */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  readonly onWarning: (sentence: string) => void;
}

/**
 * The file at an address, out of the store when it is there and current.
 *
 * A file that is here is taken when samples of it are right and the server names the same version, or cannot be asked. A transfer
 * that was cut goes on where it stopped, if the store keeps parts and the server tells versions apart. A browser that gives no
 * room has the file in memory, with a warning.
 *
 * @throws `DecodingError` `DOWNLOAD_FAILED`, `NOT_A_MODEL` for something that does not begin as a GGUF file,
 * `CHECKSUM_MISMATCH`, `CACHE_NOT_WRITABLE`, `ABORTED`.
 */
export async function downloadFile(url: string, options: DownloadOptions): Promise<StoredFile> {
  const { store, name, signal } = options;
  throwIfAborted(signal);
  try {
    return await store.alone(name, signal, async () => {
      const kept = await store.find(name);
      if (kept !== undefined) {
        if ((await isWhole(kept)) && (await isCurrent(kept.record, url, options))) return kept;
        await kept.source.dispose();
        if (!options.offline) await store.remove(name);
      }
      if (options.offline) throw offlineMissing(url);
      return download(url, options);
    });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

async function isWhole({ record, source }: StoredFile): Promise<boolean> {
  if (record.size !== source.size) return false;
  return (await sampleHash(source).catch(() => undefined)) === record.samples;
}

async function isCurrent(
  record: FileRecord,
  url: string,
  { expected, offline, signal }: DownloadOptions,
): Promise<boolean> {
  if (expected !== undefined) return record.sha256 === expected.sha256;
  if (offline) return true;
  let answer: HttpAnswer;
  try {
    answer = await openHttp(url, { method: "HEAD", signal, answerWithinMs: CHECK_WITHIN_MS });
  } catch (error) {
    if (hasCode(error, "DOWNLOAD_FAILED")) return true; // Out of reach, or no answer to such a question.
    throw error;
  }
  answer.cancel();
  const { validator, total } = answer;
  if (validator !== undefined && record.validator !== undefined) return validator === record.validator;
  return total === undefined || total === record.size;
}

async function download(url: string, options: DownloadOptions): Promise<StoredFile> {
  const { store, onWarning } = options;
  try {
    return await downloadTo(store, url, options);
  } catch (error) {
    if (!store.spills || !hasCode(error, "CACHE_NOT_WRITABLE")) throw error;
    onWarning(
      `${error.message} "${fileName(url)}" is kept in memory, and is downloaded again next time. ${error.fix}`,
    );
    return downloadTo(memoryFiles(), url, options);
  }
}

async function downloadTo(
  store: FileStore,
  url: string,
  { name, expected, signal, onProgress }: DownloadOptions,
): Promise<StoredFile> {
  const part = await store.partial(name);
  try {
    const answer = await ask(url, part, signal);
    const total = answer.total ?? expected?.size;
    const hash = new Sha256();
    try {
      if (answer.from === 0) await part.restart(answer.validator);
      else await addContent(hash, part);
      await part.reserve((total ?? 0) - part.size);
      for await (const bytes of answer.bytes()) {
        throwIfAborted(signal);
        if (part.size === 0 && !beginsAsGguf(bytes)) throw notGguf(url);
        await part.append(bytes);
        hash.update(bytes);
        onProgress?.({ phase: "download", name: fileName(url), loaded: part.size, total: total ?? 0 });
      }
    } finally {
      answer.cancel();
    }
    throwIfAborted(signal);
    if (part.size < (total ?? 0)) throw cut(url, part.size, total!);
    const sha256 = hash.hex();
    if (expected !== undefined && sha256 !== expected.sha256) {
      throw wrongChecksum(url, sha256, expected.sha256);
    }
    const content = await part.content();
    const samples = await sampleHash(content);
    await content.dispose();
    return await part.finish({ url, size: part.size, sha256, samples, validator: part.validator });
  } catch (error) {
    const { size, validator } = part;
    // Without a version nobody could tell whether the rest belongs to what is here.
    const isCut = size > 0 && (signal?.aborted || hasCode(error, "DOWNLOAD_FAILED"));
    const goesOn = isCut && validator !== undefined && store.resumes;
    await part.close({ keep: goesOn }).catch(() => {});
    if (signal?.aborted || !hasCode(error, "DOWNLOAD_FAILED")) throw error;
    throw new DecodingError("DOWNLOAD_FAILED", {
      message: `"${url}" could not be downloaded. ${error.message}`,
      fix: goesOn ? `${error.fix} It goes on behind byte ${size}.` : error.fix,
      cause: error,
    });
  }
}

/** Asks for what is missing, or for everything when the server has another version by now. */
async function ask(url: string, part: PartialFile, signal: AbortSignal | undefined): Promise<HttpAnswer> {
  const request = { signal, answerWithinMs: ANSWER_WITHIN_MS };
  if (part.size > 0 && part.validator !== undefined) {
    try {
      const rest = await openHttp(url, { ...request, from: part.size });
      const isRest = rest.from === part.size && rest.validator === part.validator;
      if (rest.from === 0 || isRest) return rest;
      rest.cancel();
    } catch (error) {
      // A range the file does not have: it is shorter by now. Whatever else failed, fails again.
      if (!hasCode(error, "DOWNLOAD_FAILED")) throw error;
    }
  }
  return openHttp(url, request);
}

async function addContent(hash: Sha256, part: PartialFile): Promise<void> {
  const content = await part.content();
  for (let at = 0; at < content.size; at += HASH_CHUNK) {
    hash.update(await content.read(at, Math.min(HASH_CHUNK, content.size - at)));
  }
  await content.dispose();
}

const GGUF = [0x47, 0x47, 0x55, 0x46];

function beginsAsGguf(bytes: Uint8Array): boolean {
  return GGUF.slice(0, bytes.length).every((byte, index) => bytes[index] === byte);
}

/** Last part of an address. */
export function fileName(url: string): string {
  const { pathname, host } = new URL(url);
  return pathname.slice(pathname.lastIndexOf("/") + 1) || host;
}

function notGguf(url: string): DecodingError {
  return new DecodingError("NOT_A_MODEL", {
    message: `"${url}" is not a GGUF file; a server that answers every address with a page does that too.`,
    fix: "Check the address; it must lead to the file itself.",
  });
}

function cut(url: string, got: number, wanted: number): DecodingError {
  return new DecodingError("DOWNLOAD_FAILED", {
    message: `${new URL(url).host}: ${got} of ${wanted} bytes came.`,
    fix: "Check the connection and try again.",
  });
}

function wrongChecksum(url: string, got: string, wanted: string): DecodingError {
  return new DecodingError("CHECKSUM_MISMATCH", {
    message: `"${url}" came with SHA-256 ${got} instead of ${wanted}.`,
    fix: "Try again on another network: something on the way changed the file; it was not kept.",
  });
}

function offlineMissing(url: string): DecodingError {
  return new DecodingError("DOWNLOAD_FAILED", {
    message: `"${url}" is not stored here, and it must not be downloaded.`,
    fix: "Load it once without offline.",
  });
}
