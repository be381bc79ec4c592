import { DecodingError, hasCode } from "@foretoken/core";
import { asCacheError } from "./cache-folder.ts";
import { node } from "./node.ts";

/** What a file must be to get its final name. */
export interface ExpectedFile {
  /** Bytes. */
  readonly size: number;
  /** SHA-256, hex. */
  readonly sha256: string;
}

/** A partial file nobody wrote to for so long was left behind by a process that ended. */
const ABANDONED_AFTER_MS = 10 * 60_000;
const PARTIAL = ".part";

/**
 * Writes a file that is complete and right, or not there at all.
 *
 * The bytes go to a name of this call's own and get the final name, atomically, when size and checksum are right.
 * Several processes may store the same file at once: each writes its own copy and the last rename wins, all being
 * equal. Partial files that a killed process left are swept away.
 *
 * @param path - The final name.
 * @param content - The bytes in order; an error it throws is passed on.
 * @param onBytes - Told how many bytes are written.
 * @throws `DecodingError` `CHECKSUM_MISMATCH`; `DOWNLOAD_FAILED` for a wrong size; `CACHE_NOT_WRITABLE`; `ABORTED`.
 */
export async function storeFile(
  path: string,
  content: AsyncIterable<Uint8Array>,
  expected: ExpectedFile,
  { signal, onBytes }: { readonly signal?: AbortSignal; readonly onBytes?: (written: number) => void } = {},
): Promise<void> {
  const { open, rename } = node.fs;
  const folder = node.path.dirname(path);
  await makeFolder(folder);
  await sweepAbandoned(folder);

  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "wx");
    try {
      const hash = node.crypto.createHash("sha256");
      let written = 0;
      for await (const chunk of content) {
        throwIfAborted(signal);
        written += chunk.length;
        if (written > expected.size) throw wrongSize(path, `more than ${expected.size}`, expected);
        hash.update(chunk);
        await file.appendFile(chunk);
        onBytes?.(written);
      }
      throwIfAborted(signal);
      if (written !== expected.size) throw wrongSize(path, String(written), expected);
      const sha256 = hash.digest("hex");
      if (sha256 !== expected.sha256) throw wrongChecksum(path, sha256, expected);
      // Without this a power cut can leave the new name with zeros in it.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await node.fs.rm(temporary, { force: true });
    throwIfAborted(signal);
    throw hasCode(error) ? error : asCacheError(error, path);
  }
}

/** A folder, with those above it. @throws `DecodingError` `CACHE_NOT_WRITABLE`. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await node.fs.mkdir(folder, { recursive: true });
  } catch (error) {
    throw asCacheError(error, folder);
  }
}

/** A name beside `path` that no other process uses. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}-${node.crypto.randomBytes(4).toString("hex")}${PARTIAL}`;
}

/** Removes partial files and folders that no living process can be writing to. */
export async function sweepAbandoned(folder: string): Promise<void> {
  const names = await node.fs.readdir(folder);
  for (const name of names.filter((entry) => entry.endsWith(PARTIAL))) {
    const path = node.path.join(folder, name);
    const status = await node.fs.stat(path).catch(() => undefined);
    if (status && Date.now() - status.mtimeMs > ABANDONED_AFTER_MS) {
      await node.fs.rm(path, { force: true, recursive: true });
    }
  }
}

/** @throws `DecodingError` `ABORTED`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new DecodingError("ABORTED", {
    message: "Loading was aborted.",
    fix: "Load again; what is in the cache is complete.",
    cause: signal.reason,
  });
}

function wrongSize(path: string, got: string, { size }: ExpectedFile): DecodingError {
  return new DecodingError("DOWNLOAD_FAILED", {
    message: `"${node.path.basename(path)}" came with ${got} bytes instead of ${size}.`,
    fix: "Try again; nothing incomplete was kept.",
  });
}

function wrongChecksum(path: string, got: string, { sha256 }: ExpectedFile): DecodingError {
  return new DecodingError("CHECKSUM_MISMATCH", {
    message: `"${node.path.basename(path)}" came with SHA-256 ${got} instead of ${sha256}.`,
    fix: "Try again on another network: something on the way changed the file; it was not kept.",
  });
}
