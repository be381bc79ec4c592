import { DecodingError } from "@foretoken/core";

/** Bytes that can be read anywhere, without holding them all. */
export interface ByteSource {
  /** What error messages call it: a path, a file name. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /**
   * Reads `length` bytes from `offset` on into an array of their own.
   *
   * @throws `DecodingError` `CORRUPT_MODEL` when the source ends before.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Frees handles; the source cannot be read afterwards. */
  dispose(): Promise<void>;
}

function endsEarly(name: string, wanted: number, size: number): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `"${name}" ends at byte ${size}, but bytes up to ${wanted} were asked for.`,
    fix: "Fetch the file again: it was cut, or it changed while it was read.",
  });
}

/**
 * A file of the local disk, open until it is disposed. Node only.
 *
 * @throws `DecodingError` `MODEL_NOT_FOUND` when there is no readable file at `path`, `UNSUPPORTED` where
 * there is no file system.
 */
export async function fileSource(path: string): Promise<ByteSource> {
  // Asked of the process instead of imported, so that bundlers for browsers have nothing to resolve.
  const files = globalThis.process?.getBuiltinModule?.("node:fs/promises");
  if (!files) {
    throw new DecodingError("UNSUPPORTED", {
      message: `"${path}" is a path, and there is no file system here.`,
      fix: "Pass the file itself, as a Blob.",
    });
  }
  let file: Awaited<ReturnType<typeof files.open>> | undefined;
  try {
    file = await files.open(path, "r");
    const status = await file.stat();
    if (!status.isFile()) throw new Error("it is not a regular file");
    return handleSource(path, file, status.size);
  } catch (cause) {
    await file?.close();
    throw new DecodingError("MODEL_NOT_FOUND", {
      message: `"${path}" cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}.`,
      fix: "Give the path of a readable GGUF file.",
      cause,
    });
  }
}

/** The part of a Node file handle that reading needs. */
interface ReadableHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

function handleSource(name: string, file: ReadableHandle, size: number): ByteSource {
  return {
    name,
    size,
    async read(offset, length) {
      if (offset + length > size) throw endsEarly(name, offset + length, size);
      const bytes = new Uint8Array(length);
      // One read returns at most 2 GiB, and fewer bytes than asked for on some file systems.
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 2 ** 30), offset + done);
        if (bytesRead === 0) throw endsEarly(name, offset + length, offset + done);
        done += bytesRead;
      }
      return bytes;
    },
    dispose: () => file.close(),
  };
}

/** A `Blob` or `File`: a picked file, a cached response. */
export function blobSource(blob: Blob, name = "name" in blob ? String(blob.name) : "blob"): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      if (offset + length > blob.size) throw endsEarly(name, offset + length, blob.size);
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        // A picked or stored file is only referred to.
        throw new DecodingError("CORRUPT_MODEL", {
          message: `"${name}" cannot be read any more: ${cause instanceof Error ? cause.message : String(cause)}.`,
          fix: "Open or load it again: it was changed, moved or removed since.",
          cause,
        });
      }
    },
    async dispose() {},
  };
}

/** Bytes in memory; `read` copies. */
export function bytesSource(bytes: Uint8Array, name = "bytes"): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(offset, length) {
      if (offset + length > bytes.length) throw endsEarly(name, offset + length, bytes.length);
      // Not `slice`, which shares memory when the bytes are a Node buffer.
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    async dispose() {},
  };
}
