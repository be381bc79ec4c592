import { blobSource } from "../weights/byte-source.ts";
import type { FileStore, PartialFile } from "./file-store.ts";

/** Keeps nothing: the file lives as long as its source. Browsers move large blobs to disk by themselves. */
export function memoryFiles(): FileStore {
  return {
    resumes: false,
    spills: false,
    find: async () => undefined,
    partial: async (name) => memoryFile(name),
    remove: async () => {},
    alone: (_name, _signal, work) => work(),
  };
}

function memoryFile(name: string): PartialFile {
  let parts: Blob[] = [];
  let size = 0;
  let validator: string | undefined;
  const source = () => blobSource(new Blob(parts), name);
  return {
    get size() {
      return size;
    },
    get validator() {
      return validator;
    },
    async restart(version) {
      [parts, size, validator] = [[], 0, version];
    },
    async reserve() {},
    async append(bytes) {
      parts.push(new Blob([bytes as Uint8Array<ArrayBuffer>]));
      size += bytes.length;
    },
    content: async () => source(),
    async close() {
      parts = [];
    },
    finish: async (record) => ({ record, source: source() }),
  };
}
