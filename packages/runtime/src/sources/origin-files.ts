import { DecodingError } from "@foretoken/core";
import { type ByteSource, blobSource } from "../weights/byte-source.ts";
import type { FileRecord, FileStore, PartialFile } from "./file-store.ts";
import { openDirectly, openOriginFolder, readOriginText, writeOriginText } from "./origin-folder.ts";

/** Names in the folder of one file. */
const CONTENT = "content";
const PART = "content.part";
const RECORD = "record.json";
/** Says which version the part is from. */
const PART_RECORD = "part.json";

/** Files in the origin private file system; see `docs/decisions/browser-weights.md`. */
export function originFiles(): FileStore {
  const folderOf = (name: string) => openOriginFolder("models", name);
  return {
    resumes: true,
    spills: true,
    async find(name) {
      try {
        const folder = await folderOf(name);
        const record = JSON.parse(await readOriginText(folder, RECORD)) as FileRecord;
        const file = await (await folder.getFileHandle(CONTENT)).getFile();
        return { record, source: blobSource(file, record.url) };
      } catch {
        return undefined; // Never finished, or damaged: download it.
      }
    },
    async partial(name) {
      return orNotWritable(async () => originPart(await folderOf(name)));
    },
    async remove(name) {
      const models = await openOriginFolder("models");
      await models.removeEntry(name, { recursive: true }).catch(() => {});
    },
    async alone(name, signal, work) {
      if (globalThis.navigator.locks === undefined) return work();
      return navigator.locks.request(`foretoken-file-${name}`, { signal }, work) as ReturnType<typeof work>;
    },
  };
}

async function originPart(folder: FileSystemDirectoryHandle): Promise<PartialFile> {
  const handle = (await folder.getFileHandle(PART, { create: true })) as MovableHandle;
  const about = await readOriginText(folder, PART_RECORD)
    .then(JSON.parse)
    .catch(() => ({}));
  let { validator } = about as { validator?: string };
  const writer = await openWriter(handle);
  const discard = async () => {
    for (const name of [PART, PART_RECORD]) await folder.removeEntry(name).catch(() => {});
  };
  return {
    get size() {
      return writer.size;
    },
    get validator() {
      return validator;
    },
    restart: (version) =>
      orNotWritable(async () => {
        await writer.clear();
        validator = version;
        await writeOriginText(folder, PART_RECORD, JSON.stringify({ validator }));
      }),
    reserve: (bytes) =>
      orNotWritable(async () => {
        const { quota, usage = 0 } = await navigator.storage.estimate();
        if (quota === undefined || quota - usage >= bytes) return;
        throw new DOMException(`${bytes} bytes are needed, ${quota - usage} are left`, "QuotaExceededError");
      }),
    append: (bytes) => orNotWritable(() => writer.append(bytes)),
    content: () => writer.content(),
    async close({ keep }) {
      try {
        await writer.close();
      } finally {
        if (!keep) await discard();
      }
    },
    finish: (record) =>
      orNotWritable(async () => {
        await writer.close();
        // Without its record a file does not count, and the record is complete before the file has its name.
        await folder.removeEntry(CONTENT).catch(() => {});
        await writeOriginText(folder, RECORD, JSON.stringify(record));
        await handle.move(CONTENT);
        await discard();
        const file = await (await folder.getFileHandle(CONTENT)).getFile();
        return { record, source: blobSource(file, record.url) };
      }),
  };
}

/** In all browsers that have the file system, but not yet in the standard. */
interface MovableHandle extends FileSystemFileHandle {
  move(name: string): Promise<void>;
}

interface Writer {
  readonly size: number;
  clear(): Promise<void>;
  append(bytes: Uint8Array): Promise<void>;
  content(): Promise<ByteSource>;
  close(): Promise<void>;
}

function openWriter(handle: FileSystemFileHandle): Promise<Writer> {
  return "createSyncAccessHandle" in handle ? directWriter(handle) : streamWriter(handle);
}

/** In workers: bytes are in the file at once, so that even a killed worker leaves them. */
async function directWriter(handle: FileSystemFileHandle): Promise<Writer> {
  const file = await openDirectly(handle);
  let size = file.getSize();
  let isOpen = true;
  return {
    get size() {
      return size;
    },
    async clear() {
      file.truncate(0);
      size = 0;
    },
    async append(bytes) {
      const written = file.write(bytes, { at: size });
      if (written !== bytes.length) {
        throw new DOMException(`${written} of ${bytes.length} bytes were written`, "QuotaExceededError");
      }
      size += written;
    },
    async content() {
      const read = async (offset: number, length: number) => {
        const bytes = new Uint8Array(length);
        file.read(bytes, { at: offset });
        return bytes;
      };
      return { name: handle.name, size, read, dispose: async () => {} };
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      file.flush();
      file.close();
    },
  };
}

/** In pages: bytes are in the file once it is closed. */
async function streamWriter(handle: FileSystemFileHandle): Promise<Writer> {
  let { size } = await handle.getFile();
  let stream: FileSystemWritableFileStream | undefined;
  const close = async () => {
    const open = stream;
    stream = undefined;
    await open?.close();
  };
  const opened = async () => {
    if (stream !== undefined) return stream;
    stream = await handle.createWritable({ keepExistingData: true });
    await stream.seek(size);
    return stream;
  };
  return {
    get size() {
      return size;
    },
    async clear() {
      await (await opened()).truncate(0);
      size = 0;
    },
    async append(bytes) {
      await (await opened()).write(bytes as Uint8Array<ArrayBuffer>);
      size += bytes.length;
    },
    async content() {
      await close();
      return blobSource(await handle.getFile(), handle.name);
    },
    close,
  };
}

async function orNotWritable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { name, message } = cause as Partial<DOMException>;
    const isFull = name === "QuotaExceededError";
    throw new DecodingError("CACHE_NOT_WRITABLE", {
      message: isFull
        ? `The browser gives this site no more storage: ${message}.`
        : `The browser's storage cannot be written: ${message ?? String(cause)}.`,
      fix: isFull
        ? "Free disk space, or remove what this site stores; a page may ask for more with navigator.storage.persist()."
        : "Allow this site to store data, and do not use a private window.",
      cause,
    });
  }
}
