import { findModel } from "@foretoken/runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeBlocks } from "../../packages/runtime/src/weights/__fixtures__/mat-mul-n-bits.ts";
import { fileSource } from "../../packages/runtime/src/weights/byte-source.ts";
import { readFloats } from "../../packages/runtime/src/weights/dequantize.ts";
import { openEmbedding } from "../../packages/runtime/src/weights/embedding-table.ts";
import { encodeLinear } from "../../packages/runtime/src/weights/encode-linear.ts";
import { SUM_WIDTH, type WeightDtype } from "../../packages/runtime/src/weights/linear-layout.ts";
import type {
  LayerRole,
  ModelWeights,
  StoredTensor,
} from "../../packages/runtime/src/weights/model-weights.ts";
import { openGguf } from "../../packages/runtime/src/weights/open-gguf.ts";

describe("weights of SmolLM2", () => {
  let weights: ModelWeights;
  beforeAll(async () => {
    const { path } = await findModel("smollm2-135m-instruct");
    weights = await openGguf(await fileSource(path));
  }, 120_000);
  afterAll(() => weights.dispose());

  const layer = (index: number, ...roles: LayerRole[]): StoredTensor[] =>
    roles.map((role) => weights.tensor(`layers.${index}.${role}`)!);

  /** Root of the mean square error of the encoded weights over that of the weights. */
  async function relativeError(matrix: StoredTensor, dtype: WeightDtype): Promise<number> {
    const linear = await encodeLinear([matrix], dtype);
    if (linear.kind !== "blocks") throw new Error("expected blocks");
    const expected = await readFloats(matrix);
    const decoded = decodeBlocks(linear);
    const { outputs, inputs, columns, sums } = linear;
    let error = 0;
    let power = 0;
    for (let n = 0; n < outputs; n++) {
      for (let k = 0; k < inputs; k++) {
        const residue = sums > 0 ? decoded[n * columns + inputs + Math.floor(k / SUM_WIDTH)] : 0;
        const value = expected[n * inputs + k];
        error += (decoded[n * columns + k] + residue - value) ** 2;
        power += value ** 2;
      }
    }
    return Math.sqrt(error / power);
  }

  test("the file and its sizes are the published ones", () => {
    expect(weights.contentHash).toBe("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
    expect(weights.config).toEqual({
      architecture: "llama",
      layers: 30,
      width: 576,
      heads: 9,
      keyValueHeads: 3,
      headSize: 64,
      feedForwardWidth: 1536,
      embeddingRows: 49152,
      vocabularySize: 49152,
      contextLength: 8192,
      normEpsilon: Math.fround(1e-5),
      ropeTheta: 100_000,
    });
    expect(weights.tensor("head")).toBeUndefined();
  });

  test("stored is as near as 8 bits, requantising to 4 is ten times as far", async () => {
    for (const index of [0, 29]) {
      for (const matrix of layer(index, "query", "down")) {
        const stored = await relativeError(matrix, "stored");
        expect(stored).toBeLessThan(0.0065);
        expect(stored).toBeLessThan(1.1 * (await relativeError(matrix, "q8")));
        expect(stored).toBeLessThan(0.1 * (await relativeError(matrix, "q4")));
      }
    }
  });

  test("the tied head keeps the embedding's eight bits exactly, and the table gives its rows", async () => {
    const embedding = weights.tensor("embedding")!;
    const head = await encodeLinear([embedding], "stored");
    if (head.kind !== "blocks") throw new Error("expected blocks");
    expect(head).toMatchObject({ bits: 8, blockSize: 32, columns: 576, sums: 0, hasZeroPoints: false });
    const table = await openEmbedding(embedding);
    const row = new Float32Array(576);
    for (const token of [0, 1, 17_000, 49_151]) {
      table.row(token, row, 0);
      const fromHead = row.map(
        (_, k) => head.scales[token * 18 + (k >> 5)] * (head.packed[token * 576 + k] - 128),
      );
      expect([...row]).toEqual([...fromHead]);
    }
  });

  test("all layers and the head take about 104 MB as stored", async () => {
    let bytes = 0;
    for (let index = 0; index < weights.config.layers; index++) {
      const groups = [
        layer(index, "query", "key", "value"),
        layer(index, "attentionOutput"),
        layer(index, "gate", "up"),
        layer(index, "down"),
      ];
      for (const group of [...groups, ...(index === 0 ? [[weights.tensor("embedding")!]] : [])]) {
        const linear = await encodeLinear(group, "stored");
        if (linear.kind !== "blocks") throw new Error("expected blocks");
        bytes += linear.packed.byteLength + linear.scales.byteLength + (linear.zeroPoints?.byteLength ?? 0);
      }
    }
    expect(bytes / 1e6).toBeGreaterThan(103);
    expect(bytes / 1e6).toBeLessThan(104);
  });
});
