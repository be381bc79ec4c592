import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadTransferMaps } from "./transfer-maps.ts";

const WIDTH = 32;
const folder = mkdtempSync(join(tmpdir(), "foretoken-maps-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes maps of two steps: `W_1` is 2 · identity, `W_2` is 3 · identity in reverse, `b_i` is `i`. */
function writeMaps(shape: object = {}, bias = [1, 2]): void {
  const tensors = new Map<string, [type: string, sizes: number[], values: ArrayBufferView]>();
  for (const step of [1, 2]) {
    const weight = new Int8Array(WIDTH * WIDTH);
    for (let row = 0; row < WIDTH; row++)
      weight[row * WIDTH + (step === 1 ? row : WIDTH - 1 - row)] = step + 1;
    tensors.set(`steps.${step}.weight`, ["I8", [WIDTH, WIDTH], weight]);
    // 1 in float16.
    tensors.set(`steps.${step}.weight.scales`, ["F16", [WIDTH, 1], new Uint16Array(WIDTH).fill(0x3c00)]);
    tensors.set(`steps.${step}.bias`, ["F32", [WIDTH], new Float32Array(WIDTH).fill(bias[step - 1]!)]);
  }
  const header: Record<string, object> = {};
  const parts: Buffer[] = [];
  let end = 0;
  for (const [name, [dtype, sizes, values]] of tensors) {
    const part = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    header[name] = { dtype, shape: sizes, data_offsets: [end, end + part.length] };
    parts.push(part);
    end += part.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const bytes = Buffer.concat([length, text, ...parts]);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const manifest = {
    format: "foretoken-head",
    version: 1,
    kind: "hidden-transfer",
    name: "tiny maps",
    base: { file: "tiny.gguf", sha256: "a".repeat(64), dequantizedSha256: "b".repeat(64) },
    weights: { file: "model.safetensors", bytes: bytes.length, sha256 },
    shape: { width: WIDTH, steps: 2, layers: [1, 2], accuracy: [[0.5], [0.3]], ...shape },
  };
  writeFileSync(join(folder, "model.safetensors"), bytes);
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}

test("maps are read as they were written", async () => {
  writeMaps();
  const maps = await loadTransferMaps(folder);
  expect(maps.manifest.shape.layers).toEqual([1, 2]);
  expect(maps.floats("steps.1.weight").subarray(0, 3)).toEqual(Float32Array.of(2, 0, 0));
  expect(maps.floats("steps.2.weight").subarray(WIDTH - 3, WIDTH)).toEqual(Float32Array.of(0, 0, 3));
  expect(maps.floats("steps.2.bias")[0]).toBe(2);
});

describe("maps are refused", () => {
  test.each([
    ["whose layers fall", { layers: [2, 1] }, /layers: must not fall/],
    ["with a layer too few", { layers: [1] }, /layers: must have one number for each step/],
    ["without accuracies of a step", { accuracy: [[0.5]] }, /accuracy: must have one row/],
    ["without steps", { steps: 0, layers: [], accuracy: [] }, /steps: /],
    ["of another width than they say", { width: 64 }, /"steps.1.weight" is I8 \[32,32\], not I8 \[64,64\]/],
  ])("%s", async (_, shape, message) => {
    writeMaps(shape);
    await expect(loadTransferMaps(folder)).rejects.toMatchObject({
      code: "CORRUPT_MODEL",
      message: expect.stringMatching(message),
    });
  });

  test("that hold NaN", async () => {
    writeMaps({}, [1, Number.NaN]);
    await expect(loadTransferMaps(folder)).rejects.toThrow(/"steps.2.bias" holds NaN/);
  });
});
