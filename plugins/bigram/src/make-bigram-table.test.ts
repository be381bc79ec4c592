import { hasCode } from "@foretoken/core";
import { randomLaw, scriptedModel, tinyModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { makeBigramTable } from "./make-bigram-table.ts";

const V = 12;
const scripted = (special: readonly number[] = []) => {
  const model = scriptedModel({
    law: randomLaw({ seed: 5, vocabularySize: V, order: 2 }),
    vocabularySize: V,
  });
  const tokenizer = {
    ...model.tokenizer!,
    beginTokens: [3],
    specialTokens: new Map(special.map((token) => [token, `<${token}>`])),
    endTokens: new Set(special.slice(0, 1)),
  };
  return { ...model, tokenizer };
};

/** The best tokens of a law, with their probabilities. */
const best = (law: readonly number[], count: number) =>
  law
    .map((probability, token) => [token, probability] as const)
    .sort(([a, p], [b, q]) => q - p || a - b)
    .slice(0, count);

test("keeps what the model predicts behind the prefix and each token", async () => {
  const law = randomLaw({ seed: 5, vocabularySize: V, order: 2 });
  const model = scripted();
  for (const prefix of [undefined, [7]]) {
    const table = await makeBigramTable(model, { candidates: 3, rowsPerPass: 5, prefix });
    expect(table.rows).toBe(V);
    expect(table.owner).toEqual({ kind: "model", hash: model.contentHash });
    for (let token = 0; token < V; token++) {
      const expected = best([...law([prefix?.[0] ?? 3, token])], 3);
      const row = table.row(token)!;
      expect([...row.ids]).toEqual(expected.map(([id]) => id));
      for (const [rank, [, probability]] of expected.entries()) {
        expect(row.weights[rank]).toBeCloseTo(probability, 4);
      }
    }
  }
});

test("control tokens have no row and follow nobody, unless they end an answer", async () => {
  const table = await makeBigramTable(scripted([2, 4, 6]), { candidates: 12 });
  expect([2, 4, 6].map((token) => table.row(token))).toEqual([undefined, undefined, undefined]);
  const successors = new Set([...table.arrays.ids]);
  expect([2, 4, 6].map((token) => successors.has(token))).toEqual([true, false, false]);
});

test("tells how far it is, can be stopped, and leaves nothing in the model", async () => {
  const model = scriptedModel({ law: randomLaw({ seed: 5, vocabularySize: V }), vocabularySize: V });
  const told: number[][] = [];
  await makeBigramTable(model, { rowsPerPass: 5, onProgress: (...done) => told.push(done) });
  expect(told).toEqual([
    [5, 12],
    [10, 12],
    [12, 12],
  ]);
  const stop = new AbortController();
  const stopped = makeBigramTable(model, {
    rowsPerPass: 5,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  await expect(stopped).rejects.toSatisfy((error) => hasCode(error, "ABORTED"));
  expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0, pendingRows: 0 });
});

test("tokens can be asked in parts", async () => {
  const model = scripted();
  const part = await makeBigramTable(model, { tokens: [1, 8] });
  const whole = await makeBigramTable(model);
  expect([...part.arrays.keys]).toEqual([1, 8]);
  for (const token of [1, 8]) expect(part.row(token)).toEqual(whole.row(token));
});

test("in a model of one layer, the first layer predicts what the model does", async () => {
  const [one, two] = [await tinyModel(3, { layers: 1 }), await tinyModel(3, { layers: 2 })];
  try {
    const tokens = Array.from({ length: 40 }, (_, token) => token);
    const table = (model: typeof one, way: "exact" | "layer0") => makeBigramTable(model, { way, tokens });
    expect((await table(one, "layer0")).arrays).toEqual((await table(one, "exact")).arrays);
    expect((await table(two, "layer0")).arrays.ids).not.toEqual((await table(two, "exact")).arrays.ids);
  } finally {
    await one.dispose();
    await two.dispose();
  }
});
