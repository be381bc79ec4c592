import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { bytesSource } from "./byte-source.ts";
import { contentHash } from "./content-hash.ts";
import { Sha256 } from "./sha256.ts";

const message = Uint8Array.from({ length: 1000 }, (_, i) => (i * 31 + 7) & 255);
const openssl = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

test("equals OpenSSL at every length around the block's edges", () => {
  for (const length of [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000]) {
    const hash = new Sha256();
    hash.update(message.subarray(0, length));
    expect(hash.hex()).toBe(openssl(message.subarray(0, length)));
  }
});

test("does not depend on how the message is cut", () => {
  for (const step of [1, 7, 63, 64, 65, 500]) {
    const hash = new Sha256();
    for (let at = 0; at < message.length; at += step) hash.update(message.subarray(at, at + step));
    expect(hash.hex()).toBe(openssl(message));
  }
});

test("a source hashes alike with and without Node's crypto, over several chunks", async () => {
  const bytes = new Uint8Array((1 << 22) + 12345).fill(17);
  const native = await contentHash(bytesSource(bytes));
  vi.stubGlobal("process", undefined);
  const portable = await contentHash(bytesSource(bytes));
  vi.unstubAllGlobals();
  expect(native).toBe(openssl(bytes));
  expect(portable).toBe(native);
});
