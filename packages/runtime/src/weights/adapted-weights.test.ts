import { tinyGguf } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { loadRuntime } from "../load-runtime.ts";
import { adaptedWeights, type LowRankDelta, type WeightDeltas } from "./adapted-weights.ts";
import { bytesSource } from "./byte-source.ts";
import { readFloats } from "./dequantize.ts";
import type { ModelWeights, WeightRole } from "./model-weights.ts";
import { openGguf } from "./open-gguf.ts";

const open = () => openGguf(bytesSource(tinyGguf(3), "tiny.gguf"));
const wave = (length: number, size: number) =>
  Float32Array.from({ length }, (_, at) => size * Math.sin(1.7 * at + 1));

const ROLES: readonly WeightRole[] = ["layers.0.query", "layers.1.down"];
function deltasFor(weights: ModelWeights, size = 0.3, rank = 2): WeightDeltas {
  const delta = (role: string): LowRankDelta => {
    const [outputs, inputs] = weights.tensor(role as WeightRole)!.shape;
    return { up: wave(outputs * rank, size), down: wave(rank * inputs, size), rank };
  };
  const { contentHash: base } = weights;
  return { id: "waves", contentHash: `waves of ${size}`, base, roles: ROLES, delta };
}

describe("deltas", () => {
  test("are added to their matrices, and to no others", async () => {
    const weights = await open();
    const deltas = deltasFor(weights);
    const adapted = adaptedWeights(weights, deltas);
    for (const role of ROLES) {
      const { up, down } = deltas.delta(role)!;
      const before = await readFloats(weights.tensor(role)!);
      const after = await readFloats(adapted.tensor(role)!);
      const [outputs, inputs] = weights.tensor(role)!.shape;
      for (const [row, column] of [
        [0, 0],
        [3, 5],
        [outputs - 1, inputs - 1],
      ]) {
        const sum = up[2 * row] * down[column] + up[2 * row + 1] * down[inputs + column];
        expect(after[row * inputs + column]).toBeCloseTo(before[row * inputs + column] + sum, 5);
      }
    }
    expect(adapted.tensor("layers.0.key")).toBe(weights.tensor("layers.0.key"));
    expect(adapted.tensor("embedding")).toBe(weights.tensor("embedding"));
    expect(adapted.tensor("head")).toBeUndefined();
    await adapted.dispose();
  });

  test("make another model of it, always the same one", async () => {
    const weights = await open();
    const hashes = [0.3, 0.3, 0.4].map(
      (size) => adaptedWeights(weights, deltasFor(weights, size)).contentHash,
    );
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(hashes[1]).toBe(hashes[0]);
    expect(new Set([...hashes, weights.contentHash]).size).toBe(3);
    await weights.dispose();
  });

  test("of other weights are refused", async () => {
    const weights = await open();
    const base = "0".repeat(64);
    expect(() => adaptedWeights(weights, { ...deltasFor(weights), base })).toThrow(
      expect.objectContaining({ code: "CHECKSUM_MISMATCH", message: expect.stringContaining(base) }),
    );
    await weights.dispose();
  });

  test("of another shape, or of a matrix that is not there, are refused", async () => {
    const weights = await open();
    const deltas = deltasFor(weights);
    const tooLong = { ...deltas, delta: () => ({ up: wave(7, 1), down: wave(7, 1), rank: 1 }) };
    expect(() => adaptedWeights(weights, tooLong)).toThrow(
      expect.objectContaining({ code: "SHAPE_MISMATCH" }),
    );
    for (const role of ["layers.9.query", "finalNorm"]) {
      const foreign = { ...deltas, roles: [role], delta: () => deltas.delta(ROLES[0])! };
      expect(() => adaptedWeights(weights, foreign)).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringContaining(role) }),
      );
    }
    await weights.dispose();
  });

  test.each(["fp32", "stored"] as const)("change what the model computes, in %s", async (dtype) => {
    const logits = async (size: number) => {
      const weights = await open();
      const model = await loadRuntime(adaptedWeights(weights, deltasFor(weights, size)), {
        dtype,
        threads: 1,
      });
      const session = model.createSession();
      const pass = await session.forward([{ token: 70 }, { token: 9 }], { logits: "last" });
      const row = [...(await pass.logits(1))];
      await model.dispose();
      return row;
    };
    const [none, little, much] = [await logits(0), await logits(1e-4), await logits(0.3)];
    const distance = (row: readonly number[]) =>
      Math.max(...row.map((value, at) => Math.abs(value - none[at])));
    expect(distance(little)).toBeLessThan(0.05);
    expect(distance(much)).toBeGreaterThan(0.5);
  });
});
