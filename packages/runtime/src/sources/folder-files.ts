import { fileSource } from "../weights/byte-source.ts";
import { asCacheError } from "./cache-folder.ts";
import type { FileRecord, FileStore, PartialFile } from "./file-store.ts";
import { node } from "./node.ts";
import { makeFolder, sweepAbandoned, temporaryName } from "./store-file.ts";

const CONTENT = "content.gguf";
const RECORD = "record.json";

/**
 * Files in a folder of the cache. Node only.
 *
 * Every call writes to a name of its own, so that processes need no lock; what was cut is not gone on with.
 */
export function folderFiles(cache: string): FileStore {
  const folderOf = (name: string) => node.path.join(cache, "addresses", name);
  return {
    resumes: false,
    spills: false,
    async find(name) {
      try {
        const text = await node.fs.readFile(node.path.join(folderOf(name), RECORD), "utf8");
        const record = JSON.parse(text) as FileRecord;
        return { record, source: await fileSource(node.path.join(folderOf(name), CONTENT)) };
      } catch {
        return undefined; // Never finished, or damaged: download it.
      }
    },
    async partial(name) {
      await makeFolder(folderOf(name));
      await sweepAbandoned(folderOf(name));
      return folderPart(folderOf(name));
    },
    remove: (name) => node.fs.rm(folderOf(name), { recursive: true, force: true }),
    alone: (_name, _signal, work) => work(),
  };
}

async function folderPart(folder: string): Promise<PartialFile> {
  const temporary = temporaryName(node.path.join(folder, CONTENT));
  const orCacheError = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      throw asCacheError(error, temporary);
    });
  const file = await orCacheError(node.fs.open(temporary, "wx"));
  let size = 0;
  let validator: string | undefined;
  return {
    get size() {
      return size;
    },
    get validator() {
      return validator;
    },
    async restart(version) {
      await orCacheError(file.truncate(0));
      [size, validator] = [0, version];
    },
    async reserve() {},
    async append(bytes) {
      await orCacheError(file.appendFile(bytes));
      size += bytes.length;
    },
    content: () => fileSource(temporary),
    async close() {
      await file.close();
      await node.fs.rm(temporary, { force: true });
    },
    async finish(record) {
      const recordPath = node.path.join(folder, RECORD);
      const content = node.path.join(folder, CONTENT);
      try {
        // Without this a power cut can leave the new name with zeros in it.
        await file.sync();
        await file.close();
        const partialRecord = temporaryName(recordPath);
        await node.fs.writeFile(partialRecord, JSON.stringify(record));
        await node.fs.rename(temporary, content);
        await node.fs.rename(partialRecord, recordPath);
      } catch (error) {
        throw asCacheError(error, content);
      }
      return { record, source: await fileSource(content) };
    },
  };
}
