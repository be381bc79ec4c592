import { readFileSync } from "node:fs";
import { hasCode } from "@foretoken/core";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { shared } from "../../../../test/shared.ts";
import { encodeModel } from "../graph/onnx-model.ts";
import { decodeBlocks, extendActivations } from "./__fixtures__/mat-mul-n-bits.ts";
import { bytesSource } from "./byte-source.ts";
import { readFloats } from "./dequantize.ts";
import { openEmbedding } from "./embedding-table.ts";
import { type BlockLinear, encodeLinear, type FloatLinear } from "./encode-linear.ts";
import { linearLayout, SUM_WIDTH, type WeightDtype } from "./linear-layout.ts";
import type { StoredTensor, StoredType, WeightRole } from "./model-weights.ts";
import { openGguf } from "./open-gguf.ts";

const tensorsOf = async (file: string, ...roles: WeightRole[]): Promise<StoredTensor[]> => {
  const weights = await openGguf(bytesSource(readFileSync(shared(`fixtures/gguf/${file}.gguf`)), file));
  return roles.map((role) => weights.tensor(role)!);
};

const stackedFloats = async (matrices: readonly StoredTensor[]): Promise<Float32Array> => {
  const parts = await Promise.all(matrices.map(readFloats));
  const stacked = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    stacked.set(part, at);
    at += part.length;
  }
  return stacked;
};

const sameFloats = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

async function blocksOf(matrices: readonly StoredTensor[], dtype: WeightDtype): Promise<BlockLinear> {
  const linear = await encodeLinear(matrices, dtype);
  if (linear.kind !== "blocks") throw new Error("expected blocks");
  const { packed: _, scales: __, zeroPoints: ___, ...layout } = linear;
  expect(layout).toEqual(linearLayout(matrices, dtype));
  return linear;
}

/**
 * Largest error of the weights that the node computes with (an input's own plus that of its block sum), and largest
 * half step of a grid of residues, which bounds it.
 */
function weightError(linear: BlockLinear, expected: Float32Array): { error: number; halfStep: number } {
  const { outputs, inputs, columns, sums, scales, blockSize } = linear;
  const decoded = decodeBlocks(linear);
  let error = 0;
  for (let n = 0; n < outputs; n++) {
    for (let k = 0; k < inputs; k++) {
      const residue = sums > 0 ? decoded[n * columns + inputs + Math.floor(k / SUM_WIDTH)] : 0;
      const got = decoded[n * columns + k] + residue;
      error = Math.max(error, Math.abs(got - expected[n * inputs + k]));
    }
  }
  let halfStep = 0;
  const blocks = columns / blockSize;
  for (let n = 0; n < outputs; n++) {
    for (let b = inputs / blockSize; b < blocks; b++)
      halfStep = Math.max(halfStep, scales[n * blocks + b] / 2);
  }
  return { error, halfStep };
}

/** A Q4_1 matrix with one row from `[d, m, levels]` per block. */
function q41Row(
  blocks: readonly (readonly [d: number, m: number, level: (i: number) => number])[],
): StoredTensor {
  const bytes = new Uint8Array(20 * blocks.length);
  const view = new DataView(bytes.buffer);
  // Powers of two, so that their halves are easy to write.
  const half = (value: number) =>
    value === 0 ? 0 : ((15 + Math.log2(Math.abs(value))) << 10) | (value < 0 ? 0x8000 : 0);
  blocks.forEach(([d, m, level], b) => {
    view.setUint16(20 * b, half(d), true);
    view.setUint16(20 * b + 2, half(m), true);
    for (let i = 0; i < 16; i++) bytes[20 * b + 4 + i] = level(i) | (level(i + 16) << 4);
  });
  return { role: "layers.0.up", shape: [1, 32 * blocks.length], type: "Q4_1", read: async () => bytes };
}

describe("stored", () => {
  const files: Partial<Record<StoredType, string>> = {
    Q4_0: "llama-Q4_0",
    Q4_1: "llama-Q4_1",
    Q4_K: "llama-Q4_K_M",
    Q5_0: "llama-Q5_0",
    Q5_1: "llama-Q5_1",
    Q5_K: "llama-Q5_K_M",
    Q6_K: "llama-Q6_K",
    Q8_0: "llama-Q8_0",
  };
  test.each(Object.entries(files))("%s keeps the file's values", async (type, file) => {
    const matrices = await tensorsOf(file, "layers.0.query", "layers.0.key");
    expect(matrices.map((matrix) => matrix.type)).toEqual([type, type]);
    const linear = await blocksOf(matrices, "stored");
    const expected = await stackedFloats(matrices);
    const { error, halfStep } = weightError(linear, expected);
    const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    if (linear.hasZeroPoints) {
      // Residues are at most half a step of the weights, and rounded to 1/15 or 1/255 of their range.
      expect(error).toBeLessThanOrEqual(halfStep * (1 + 1e-6) + 1e-9);
      expect(halfStep / largest).toBeLessThan(linear.bits === 4 ? 0.01 : 0.0003);
    } else {
      expect(error).toBe(0);
    }
  });

  test("layouts: bits, block, sums padded to whole blocks", async () => {
    const layout = async (file: string, ...roles: WeightRole[]) =>
      linearLayout(await tensorsOf(file, ...roles), "stored");
    expect(await layout("llama-Q4_0", "layers.0.gate", "layers.0.up")).toEqual({
      kind: "blocks",
      bits: 4,
      blockSize: 32,
      outputs: 1024,
      inputs: 256,
      columns: 256,
      sums: 0,
      hasZeroPoints: false,
    });
    const q41 = await layout("llama-Q4_1", "layers.0.down");
    expect(q41).toMatchObject({ bits: 4, inputs: 512, sums: 16, columns: 544, hasZeroPoints: true });
    expect(await layout("llama-Q6_K", "layers.0.query")).toMatchObject({ bits: 8, blockSize: 16, sums: 0 });
    expect(await layout("llama-F16", "layers.0.query")).toEqual({ kind: "float", outputs: 256, inputs: 256 });
  });

  test("matrices of different types take the widest layout and stay exact", async () => {
    const [query] = await tensorsOf("llama-Q4_K_M", "layers.0.query");
    const [value] = await tensorsOf("llama-Q6_K", "layers.0.value");
    const [plain] = await tensorsOf("llama-Q4_0", "layers.0.key");
    const linear = await blocksOf([query, value, plain], "stored");
    expect(linear).toMatchObject({ bits: 8, blockSize: 16, sums: 8, columns: 272, outputs: 512 });
    const { error, halfStep } = weightError(linear, await stackedFloats([query, value, plain]));
    expect(error).toBeLessThanOrEqual(halfStep * (1 + 1e-6));
    const [float] = await tensorsOf("llama-F16", "layers.0.key");
    const mixed = (await encodeLinear([query, float], "stored")) as FloatLinear;
    expect(mixed.kind).toBe("float");
    expect(sameFloats(mixed.values, await stackedFloats([query, float]))).toBe(true);
  });

  test("blocks that are constant, all positive or all negative", async () => {
    const matrix = q41Row([
      [0, 0.5, () => 3],
      [0, -0.25, () => 0],
      [0, 0, () => 9],
      [0.0625, 0.5, (i) => i % 16],
      [0.0625, -2, (i) => i % 16],
      [-0.0625, 0.25, (i) => i % 16],
      [0.0625, -0.5, (i) => i % 16],
    ]);
    const linear = await blocksOf([matrix], "stored");
    const { error, halfStep } = weightError(linear, await readFloats(matrix));
    expect(error).toBeLessThanOrEqual(halfStep * (1 + 1e-6));
    // Offsets of 0.5 and -0.25 in constant blocks are levels, not residues: what is left is the -2 + 15 · 0.0625.
    expect(halfStep).toBeLessThan(2 / 15);
  });

  test("a product with the extended activations equals the plain product", async () => {
    const [down] = await tensorsOf("llama-Q5_1", "layers.1.down");
    const linear = await blocksOf([down], "stored");
    const weights = await readFloats(down);
    const x = Float32Array.from({ length: linear.inputs }, (_, i) => Math.sin(i * 1.7));
    const extended = extendActivations(x, linear);
    const decoded = decodeBlocks(linear);
    for (let n = 0; n < linear.outputs; n++) {
      const plain = x.reduce((sum, value, k) => sum + value * weights[n * linear.inputs + k], 0);
      const got = extended.reduce((sum, value, k) => sum + value * decoded[n * linear.columns + k], 0);
      expect(Math.abs(got - plain)).toBeLessThan(5e-4);
    }
  });
});

describe("requantised", () => {
  test.each(["q8", "q4"] as const)(
    "%s rounds to the nearest level of a grid that covers the block",
    async (dtype) => {
      const matrices = await tensorsOf("llama-F16", "layers.0.gate");
      const linear = await blocksOf(matrices, dtype);
      const expected = await stackedFloats(matrices);
      const decoded = decodeBlocks(linear);
      const steps = expected.map(
        (value, i) => Math.abs(decoded[i] - value) / linear.scales[Math.floor(i / 32)],
      );
      expect(steps.reduce((max, step) => Math.max(max, step))).toBeLessThanOrEqual(0.5 * (1 + 1e-5));
    },
  );

  test("a zero block stays zero", async () => {
    const zero = q41Row([[0, 0, () => 0]]);
    for (const dtype of ["q4", "q8"] as const) {
      expect(decodeBlocks(await blocksOf([zero], dtype)).every((value) => Math.abs(value) === 0)).toBe(true);
    }
  });
});

describe("fp32", () => {
  test("stacks rows in the order given", async () => {
    const matrices = await tensorsOf("llama-Q4_1", "layers.0.query", "layers.0.key", "layers.0.value");
    const { values, ...layout } = (await encodeLinear(matrices, "fp32")) as FloatLinear;
    expect(layout).toEqual({ kind: "float", outputs: 512, inputs: 256 });
    expect(sameFloats(values, await stackedFloats(matrices))).toBe(true);
  });

  test("matrices with different inputs are refused", async () => {
    const matrices = await tensorsOf("llama-Q4_0", "layers.0.query", "layers.0.down");
    for (const wrong of [matrices, []]) {
      await expect(encodeLinear(wrong, "stored")).rejects.toSatisfy((error) =>
        hasCode(error, "SHAPE_MISMATCH"),
      );
    }
  });
});

test("the embedding table gives rows of the dequantised matrix", async () => {
  const [embedding] = await tensorsOf("llama-Q4_0", "embedding");
  expect(embedding.type).toBe("Q6_K");
  const table = await openEmbedding(embedding);
  const all = await readFloats(embedding);
  const into = new Float32Array(2 + 256);
  table.row(37, into, 2);
  expect(into.subarray(2)).toEqual(all.subarray(37 * 256, 38 * 256));
  expect([table.rows, table.width, into[0], into[1]]).toEqual([512, 256, 0, 0]);
});

/** A model of one `MatMulNBits` node. */
function oneNode(linear: BlockLinear, accuracyLevel: number): Uint8Array {
  const { bits, blockSize, outputs, columns, packed, scales, zeroPoints } = linear;
  const blocks = columns / blockSize;
  const raw = (data: Uint8Array | Float32Array) => ({
    raw: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
  const blockBytes = (blockSize * bits) / 8;
  return encodeModel({
    inputs: [{ name: "x", type: "float32", shape: ["T", columns] }],
    outputs: [{ name: "y", type: "float32", shape: ["T", outputs] }],
    constants: [
      { name: "B", type: "uint8", shape: [outputs, blocks, blockBytes], bytes: raw(packed) },
      { name: "scales", type: "float32", shape: [outputs, blocks], bytes: raw(scales) },
      ...(zeroPoints
        ? [
            {
              name: "zeros",
              type: "uint8" as const,
              shape: [outputs, Math.ceil((blocks * bits) / 8)],
              bytes: raw(zeroPoints),
            },
          ]
        : []),
    ],
    nodes: [
      {
        operator: "MatMulNBits",
        domain: "com.microsoft",
        inputs: ["x", "B", "scales", ...(zeroPoints ? ["zeros"] : [])],
        outputs: ["y"],
        attributes: {
          K: BigInt(columns),
          N: BigInt(outputs),
          bits: BigInt(bits),
          block_size: BigInt(blockSize),
          accuracy_level: BigInt(accuracyLevel),
        },
      },
    ],
  });
}

describe("in onnxruntime", () => {
  test.each([
    ["Q4_1", "llama-Q4_1", "layers.0.down"],
    ["Q4_0", "llama-Q4_0", "layers.0.down"],
    ["Q5_K", "llama-Q5_K_M", "layers.0.query"],
    ["Q6_K", "llama-Q6_K", "layers.0.query"],
    ["Q8_0", "llama-Q8_0", "layers.0.down"],
  ] as const)("MatMulNBits reads our %s as we mean it", async (_, file, role) => {
    const [matrix] = await tensorsOf(file, role);
    const linear = await blocksOf([matrix], "stored");
    const decoded = decodeBlocks(linear);
    const weights = await readFloats(matrix);
    const x = Float32Array.from({ length: linear.inputs }, (_, i) => Math.sin(i * i * 0.7));
    const feed = { x: new Tensor("float32", extendActivations(x, linear), [1, linear.columns]) };
    const norm = (values: readonly number[]) =>
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    for (const [level, tolerance] of [
      [0, 1e-6],
      [4, 0.01],
    ]) {
      const session = await InferenceSession.create(oneNode(linear, level), { intraOpNumThreads: 1 });
      const { y } = await session.run(feed);
      const got = [...(y.data as Float32Array)];
      const meant = got.map((_, n) =>
        feed.x.data.reduce((sum, value, k) => sum + value * decoded[n * linear.columns + k], 0),
      );
      const plain = got.map((_, n) =>
        x.reduce((sum, value, k) => sum + value * weights[n * linear.inputs + k], 0),
      );
      expect(norm(got.map((value, n) => value - meant[n])) / norm(meant)).toBeLessThan(tolerance);
      expect(norm(got.map((value, n) => value - plain[n])) / norm(plain)).toBeLessThan(0.02);
      await session.release();
    }
  });
});
