import { fileSource } from "../weights/byte-source.ts";
import { contentHash } from "../weights/content-hash.ts";
import { node } from "./node.ts";
import { makeFolder, temporaryName } from "./store-file.ts";

/** The state of a file in which a hash was taken. */
interface RememberedHash {
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly inode: number;
  readonly sha256: string;
}

/**
 * SHA-256 of a file, taken again only when the file changed.
 *
 * Remembered in the cache by real path, size, modification time and inode; where the cache cannot be written, the file is
 * hashed each time.
 *
 * @throws `DecodingError` `MODEL_NOT_FOUND` when the file cannot be read.
 */
export async function fileHash(path: string, cache: string): Promise<string> {
  const source = await fileSource(path);
  try {
    const state = await fileState(path);
    const memo = memoPath(state.path, cache);
    const remembered = await readMemo(memo);
    if (remembered && isSame(remembered, state)) return remembered.sha256;
    const sha256 = await contentHash(source);
    await writeMemo(memo, { ...state, sha256 });
    return sha256;
  } finally {
    await source.dispose();
  }
}

/** Remembers a hash that was taken while the file was written. */
export async function rememberHash(path: string, cache: string, sha256: string): Promise<void> {
  const state = await fileState(path);
  await writeMemo(memoPath(state.path, cache), { ...state, sha256 });
}

async function fileState(path: string): Promise<Omit<RememberedHash, "sha256">> {
  const real = await node.fs.realpath(path);
  const { size, mtimeMs, ino } = await node.fs.stat(real);
  return { path: real, size, modifiedMs: mtimeMs, inode: ino };
}

const isSame = (a: RememberedHash, b: Omit<RememberedHash, "sha256">) =>
  a.path === b.path && a.size === b.size && a.modifiedMs === b.modifiedMs && a.inode === b.inode;

function memoPath(path: string, cache: string): string {
  const name = node.crypto.createHash("sha256").update(path).digest("hex").slice(0, 32);
  return node.path.join(cache, "hashes", `${name}.json`);
}

async function readMemo(path: string): Promise<RememberedHash | undefined> {
  try {
    return JSON.parse(await node.fs.readFile(path, "utf8"));
  } catch {
    return undefined; // Never written, or damaged: hash again.
  }
}

async function writeMemo(path: string, memo: RememberedHash): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await makeFolder(node.path.dirname(path));
    await node.fs.writeFile(temporary, JSON.stringify(memo));
    await node.fs.rename(temporary, path);
  } catch {
    // A read-only cache costs time, not correctness.
  }
}
