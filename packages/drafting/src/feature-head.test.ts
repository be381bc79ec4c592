import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Model } from "@foretoken/core";
import { describe, expect, test } from "vitest";
import { FEATURE_HEAD, type HeadShape, loadHead, readHead } from "./feature-head.ts";
import { type PartManifest, partMisfit, readManifest } from "./part-manifest.ts";
import { readSafetensors } from "./safetensors.ts";

const folder = new URL("__fixtures__/tiny-head/", import.meta.url);
const manifestText = readFileSync(new URL("manifest.json", folder), "utf8");
const weights = () => new Uint8Array(readFileSync(new URL("model.safetensors", folder)));
const manifest = readManifest(manifestText, "manifest.json", FEATURE_HEAD);

/** The manifest with the hash of other bytes, so that only their contents are wrong. */
async function sealed(bytes: Uint8Array<ArrayBuffer>): Promise<PartManifest<HeadShape>> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { ...manifest, weights: { ...manifest.weights, sha256: Buffer.from(hash).toString("hex") } };
}

/** The file with another header, as long as the old one. */
function withHeader(change: (header: string) => string): Uint8Array<ArrayBuffer> {
  const bytes = weights();
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = change(new TextDecoder().decode(bytes.subarray(8, 8 + length))).padEnd(length);
  expect(header).toHaveLength(length);
  bytes.set(new TextEncoder().encode(header), 8);
  return bytes;
}

describe("a head's folder", () => {
  test.each([folder, fileURLToPath(folder), fileURLToPath(folder).replace(/\/$/, "")])(
    "is read: %s",
    async (place) => {
      const head = await loadHead(place);
      expect(head.id).toBe("tiny-head");
      expect(head.contentHash).toBe(manifest.weights.sha256);
      expect(head.vocabulary).toHaveLength(96);
      expect(head.tensor("layers.0.query")).toMatchObject({ shape: [128, 128], type: "Q8_0" });
      expect(head.tensor("finalNorm")).toMatchObject({ shape: [128], type: "F32" });
      expect(head.tensor("head")).toBeUndefined();
    },
  );

  test("that is not there is no folder of a head", async () => {
    await expect(loadHead("/nowhere/at-all")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });

  test("puts each block's scale before its integers", async () => {
    const tensors = readSafetensors(weights(), "model.safetensors");
    const bytes = await (await loadHead(folder)).tensor("layers.0.down")!.read();
    const integers = tensors.get("layers.0.down")!.bytes;
    const scales = tensors.get("layers.0.down.scales")!.bytes;
    expect(bytes).toHaveLength((integers.length / 32) * 34);
    expect([...bytes.subarray(5 * 34, 6 * 34)]).toEqual([
      ...scales.subarray(10, 12),
      ...integers.subarray(160, 192),
    ]);
  });
});

describe("what is refused", () => {
  test.each([
    ["no JSON", "{"],
    ["another format", JSON.stringify({ ...manifest, format: "other", version: 1 })],
    ["a later version", manifestText.replace('"version": 1', '"version": 2')],
    ["another kind", manifestText.replace('"feature-head"', '"judge"')],
    ["no hash", manifestText.replace(/"sha256": "[0-9a-f]{64}"/, '"sha256": "none"')],
    ["a way out of the folder", manifestText.replace("model.safetensors", "../model.safetensors")],
  ])("a manifest with %s", (_, text) => {
    expect(() => readManifest(text, "manifest.json", FEATURE_HEAD)).toThrow(
      expect.objectContaining({ code: "CORRUPT_MODEL" }),
    );
  });

  test("weights that were changed", async () => {
    const bytes = weights();
    bytes[bytes.length - 1] ^= 1;
    await expect(readHead(manifest, bytes)).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  test.each([
    ["is cut", (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, -1)],
    ["has no header", (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, 5)],
    ["has a header that is no JSON", () => withHeader((header) => header.replace("}", " "))],
    ["holds another type", () => withHeader((header) => header.replace('"I32"', '"I64"'))],
    [
      "lacks a tensor",
      () => withHeader((header) => header.replace("layers.0.gate.scales", "layers.0.gate.scalez")),
    ],
    ["has another shape", () => withHeader((header) => header.replace("[128,256]", "[256,128]"))],
  ])("a file that %s", async (_, change) => {
    const bytes = change(weights());
    await expect(readHead(await sealed(bytes), bytes)).rejects.toMatchObject({ code: "CORRUPT_MODEL" });
  });

  test("a vocabulary that is not in order", async () => {
    const bytes = weights();
    const vocabulary = readSafetensors(bytes, "").get("vocabulary")!.bytes;
    vocabulary.set(vocabulary.slice(0, 4), 4);
    await expect(readHead(await sealed(bytes), bytes)).rejects.toMatchObject({ code: "CORRUPT_MODEL" });
  });
});

test("values of a part are its integers times the scales of their blocks", async () => {
  const head = await loadHead(folder);
  const tensors = readSafetensors(weights(), "model.safetensors");
  const values = head.floats("layers.0.down");
  const integers = new Int8Array(tensors.get("layers.0.down")!.bytes);
  // A float16 whose exponent is that of 2^-6 to 2^-20 and whose mantissa says the rest.
  const bytes = tensors.get("layers.0.down.scales")!.bytes;
  const bits = bytes[10]! + 256 * bytes[11]!;
  const scale = 2 ** ((bits >> 10) - 15) * (1 + (bits & 1023) / 1024);
  expect([...values.subarray(160, 192)]).toEqual(
    [...integers.subarray(160, 192)].map((value) => Math.fround(value * scale)),
  );
  expect(head.floats("finalNorm")).toHaveLength(128);
});

test("a head fits the weights it was trained on, and no others", () => {
  const target = { id: "tiny", contentHash: manifest.base.sha256, width: 128 } as Model;
  expect(partMisfit(manifest, target)).toBeUndefined();
  expect(partMisfit(manifest, { ...target, contentHash: "0".repeat(64) })).toContain(
    "was trained on llama-small-F16.gguf",
  );
  expect(partMisfit(manifest, { ...target, width: 64 })).toContain("width 128");
});
