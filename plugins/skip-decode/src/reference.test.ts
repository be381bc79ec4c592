import { readFileSync } from "node:fs";
import type { LayerPlan } from "@foretoken/core";
import { readDeltas } from "@foretoken/drafting";
import { adaptedWeights, bytesSource, loadRuntime, openGguf } from "@foretoken/runtime";
import { tinyGguf, tinyModel } from "@foretoken/testing";
import { expect, test } from "vitest";
/** Made by training/foretoken_training/skip_fixture.py: the whole network, layers left out replaced by nothing and their keys masked. */
import expected from "./__fixtures__/expected.json" with { type: "json" };
import { skipDecode } from "./skip-decode.ts";

const { most: maxLayers, fewest: minLayers, warm_up: warmupLayers, length, buckets } = expected.schedule;
const schedule = skipDecode({ maxLayers, minLayers, warmupLayers, length, buckets });

/** Logits of the fixture's rows and columns, in passes of at most so many rows. */
async function logitsInPasses(
  model: Awaited<ReturnType<typeof tinyModel>>,
  plan: LayerPlan,
  mostRows: number,
): Promise<number[][]> {
  const session = model.createSession();
  const logits: number[][] = [];
  while (session.tokens.length < expected.tokens.length) {
    const at = session.tokens.length;
    const tokens = expected.tokens.slice(at, Math.min(at + mostRows, plan.nextChange(at)));
    const pass = await session.forward(
      tokens.map((token) => ({ token })),
      { logits: "all", layers: plan.layersAt(at) },
    );
    for (const row of tokens.keys()) {
      if (at + row < expected.promptTokens - 1) continue;
      logits.push([...(await pass.logits(row))].filter((_, column) => column % 8 === 0));
    }
    session.commit(pass.rows);
  }
  session.dispose();
  return logits;
}

test("runs the layers that the training code runs", async () => {
  const model = await tinyModel(5, { layers: 6 });
  const plan = schedule.plan(model, expected.promptTokens);
  const runs = expected.tokens.map((_, position) =>
    Array.from({ length: 6 }, (_, layer) => Number(plan.layersAt(position)?.[layer] ?? true)),
  );
  expect(runs).toEqual(expected.runs);
  expect(runs.at(-1)!.reduce((sum, one) => sum + one)).toBe(minLayers);
  await model.dispose();
});

test.each([1, 3, 24])("computes its logits with a cache, in passes of up to %d rows", async (rows) => {
  const model = await tinyModel(5, { layers: 6 });
  await model.prepare({ gates: true });
  const logits = await logitsInPasses(model, schedule.plan(model, expected.promptTokens), rows);
  for (const [row, values] of logits.entries()) {
    const difference = values.map((value, column) => Math.abs(value - expected.logits[row]![column]!));
    expect(Math.max(...difference), `row ${row}`).toBeLessThan(2e-3);
  }
  await model.dispose();
});

test("another schedule computes others", async () => {
  const model = await tinyModel(5, { layers: 6 });
  await model.prepare({ gates: true });
  const plan = skipDecode({ factor: 1 }).plan(model, expected.promptTokens);
  const last = (await logitsInPasses(model, plan, 8)).at(-1)!;
  expect(
    Math.max(...last.map((value, at) => Math.abs(value - expected.logits.at(-1)![at]!))),
  ).toBeGreaterThan(0.1);
  await model.dispose();
});

test("with deltas of the training code, computes the logits of its merged weights", async () => {
  const weights = await openGguf(bytesSource(tinyGguf(5, { layers: 6 }), "tiny.gguf"));
  const file = readFileSync(new URL("./__fixtures__/deltas.safetensors", import.meta.url));
  const deltas = await readDeltas(new Uint8Array(file), "deltas");
  const model = await loadRuntime(adaptedWeights(weights, deltas), { dtype: "fp32", threads: 1 });
  await model.prepare({ gates: true });
  const logits = await logitsInPasses(model, schedule.plan(model, expected.promptTokens), 8);
  const largest = (rows: readonly (readonly number[])[]) =>
    Math.max(
      ...logits.flatMap((row, at) => row.map((value, column) => Math.abs(value - rows[at]![column]!))),
    );
  expect(largest(expected.adaptedLogits)).toBeLessThan(2e-3);
  expect(largest(expected.logits)).toBeGreaterThan(0.1);
  await model.dispose();
});
