import { describe, expect, test } from "vitest";
import { shared } from "../../../test/shared.ts";
import { distance } from "./__fixtures__/distance.ts";
import { fusedOnCpu } from "./__fixtures__/fused-on-cpu.ts";
import { reference } from "./__fixtures__/tiny-model.ts";
import { Engine } from "./engine.ts";
import { fileSource } from "./weights/byte-source.ts";
import type { WeightDtype } from "./weights/linear-layout.ts";
import { openGguf } from "./weights/open-gguf.ts";

async function errorOf(name: string, reads: string, dtype: WeightDtype, hasFloat16: boolean) {
  const weights = await openGguf(await fileSource(shared(`fixtures/gguf/${name}.gguf`)));
  const options = { dtype, cacheFolder: undefined, threads: 1, poolRows: 200 };
  const engine = await Engine.open(weights, fusedOnCpu(hasFloat16), options);
  const { tokens, logits } = reference(reads).sequences[1];
  const slots = engine.pool.allocate(tokens.length, undefined);
  const result = await engine.executor.run({
    rows: tokens.map((token, position) => ({ token, position })),
    texts: [
      {
        slots: [],
        rows: slots.map((slot, row) => ({
          slot,
          parent: row === 0 ? undefined : row - 1,
          base: 0,
          ancestors: [],
        })),
      },
    ],
    slots,
    layers: undefined,
    logitRows: [...tokens.keys()],
    hidden: [],
  });
  let most = 0;
  for (const [row, expected] of logits.entries()) {
    const { read, reduced } = result.logits[row];
    const values = await read();
    most = Math.max(most, distance(values, expected));
    expect(reduced!.argmax).toBe(values.indexOf(Math.max(...values)));
  }
  result.dispose();
  await engine.release();
  await weights.dispose();
  return { most, selfTest: engine.selfTest };
}

describe("graphs with fused attention", () => {
  test.each([
    ["llama-F16", "llama"],
    ["qwen2-F16", "qwen2"],
    ["qwen3-F16", "qwen3"],
    ["llama-untied-F32", "llama-untied"],
  ])("%s in float32 gives the reference's logits", async (name, reads) => {
    const { most, selfTest } = await errorOf(name, reads, "fp32", false);
    expect(most).toBeLessThan(1e-4);
    expect(selfTest.verifiesTrees).toBe(true);
  });

  test.each([
    ["llama-F16", "llama", "fp16"],
    ["qwen2-F16", "qwen2", "fp16"],
    ["qwen3-F16", "qwen3", "fp16"],
    ["llama-Q4_1", "llama-Q4_1", "stored"],
    ["llama-Q8_0", "llama-Q8_0", "stored"],
  ] as const)("%s in float16 is near them", async (name, reads, dtype) => {
    const { most, selfTest } = await errorOf(name, reads, dtype, true);
    // Half precision has 11 bits; the logits of these models reach 20.
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(0.4);
    expect(selfTest.verifiesTrees).toBe(true);
  });
});
