import type { ByteSource } from "./byte-source.ts";
import { Sha256 } from "./sha256.ts";

const CHUNK_BYTES = 1 << 22;

/** SHA-256 of a whole source in hex, read in chunks; by OpenSSL in Node, in JavaScript elsewhere (WebCrypto cannot stream). */
export async function contentHash(source: ByteSource): Promise<string> {
  const native = globalThis.process?.getBuiltinModule?.("node:crypto").createHash("sha256");
  const hash = native
    ? { update: (chunk: Uint8Array) => native.update(chunk), hex: () => native.digest("hex") }
    : new Sha256();
  for (let offset = 0; offset < source.size; offset += CHUNK_BYTES) {
    hash.update(await source.read(offset, Math.min(CHUNK_BYTES, source.size - offset)));
  }
  return hash.hex();
}
