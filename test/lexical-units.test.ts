import { createHash } from "node:crypto";
import { type Decoder, type Drafter, generate, type Model, plain, speculative } from "@foretoken/core";
import { loadLexicalUnits, lud, ludDraft } from "@foretoken/lud";
import { promptLookup } from "@foretoken/prompt-lookup";
import { adaptedWeights, bytesSource, loadRuntime, openGguf, type WeightDeltas } from "@foretoken/runtime";
import { tinyGguf, tinyModel } from "@foretoken/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lexicalUnitsFor } from "../plugins/lud/src/__fixtures__/lexical-units.ts";
import { partFolder } from "../plugins/lud/src/__fixtures__/part-folder.ts";

let model: Awaited<ReturnType<typeof tinyModel>>;
beforeAll(async () => {
  model = await tinyModel(8, { layers: 3 });
});
afterAll(() => model.dispose());

const PROMPTS = [
  [5, 9, 2, 33, 5, 9],
  [71, 14, 8, 8],
  [3, 100, 3, 100, 3, 7, 7, 1],
];
const head = (value?: (index: number) => number) => lexicalUnitsFor(model, { value });
const answer = (decoder: Decoder, prompt: readonly number[], options: object = {}) =>
  generate(model, { prompt, decoder, maxTokens: 40, ignoreEnd: true, ...options });

test("no padding leaks: every token's probability is what a fresh run of the text before it says", async () => {
  const keepsAll = lud({ head: head(), threshold: 0, repetition: "off" });
  for (const prompt of PROMPTS) {
    const session = model.createSession();
    const { tokens, logProbabilities, report } = await answer(keepsAll, prompt, {
      logProbabilities: 0,
      session,
    });
    expect(report.targetPasses).toBe(10);
    const text = [...prompt, ...tokens];
    expect(session.tokens).toEqual(text.slice(0, -1));
    const fresh = model.createSession();
    const pass = await fresh.forward(
      text.map((token) => ({ token })),
      { logits: "all" },
    );
    for (const [at, { token, raw }] of logProbabilities!.entries()) {
      const row = prompt.length + at - 1;
      expect(raw).toBeCloseTo((await pass.logits(row))[token]! - (await pass.logSumExp(row)), 3);
    }
    fresh.dispose();
    session.dispose();
  }
  expect(model.cacheUse.rows).toBe(0);
});

test("what paddings feed is never seen: with none kept, any of them leaves plain decoding's text", async () => {
  const prompt = PROMPTS[2]!;
  for (const temperature of [0, 0.8]) {
    const options = { temperature, seed: 3 };
    const expected = await answer(plain(), prompt, options);
    for (const value of [() => 0, () => 1e6, (index: number) => (-1) ** index * 1e3]) {
      const given = await answer(lud({ head: head(value), threshold: 1.1 }), prompt, options);
      expect(given.tokens).toEqual(expected.tokens);
      expect(given.report.rows).toBeGreaterThan(3 * given.report.targetPasses);
    }
  }
});

test("verified, alone and merged, the text is plain decoding's, of texts that share passes", async () => {
  const draft: Drafter = ludDraft({ head: head(), threshold: 0, repetition: "off" });
  const decoders = [
    lud({ head: head(), threshold: 0, verify: true }),
    speculative({ drafters: draft }),
    speculative({ drafters: [promptLookup(), draft] }),
  ];
  for (const temperature of [0, 0.8]) {
    const options = { temperature, seed: 5 };
    const given = await Promise.all(PROMPTS.map((prompt, at) => answer(decoders[at]!, prompt, options)));
    for (const [at, prompt] of PROMPTS.entries()) {
      expect(given[at]!.tokens).toEqual((await answer(plain(), prompt, options)).tokens);
      expect(given[at]!.guarantee.level).toBe("identical");
      expect(given[at]!.report.drafted).toBeGreaterThan(20);
    }
  }
});

/** Deltas of one matrix. */
async function tinyDeltas() {
  const weights = await openGguf(bytesSource(tinyGguf(8, { layers: 3 }), "tiny.gguf"));
  const [outputs, inputs] = weights.tensor("layers.0.query")!.shape;
  const values = (length: number) => Float32Array.from({ length }, (_, index) => Math.sin(index) / 8);
  const deltas: WeightDeltas = {
    id: "tiny-deltas",
    contentHash: createHash("sha256").update("tiny-deltas").digest("hex"),
    base: weights.contentHash,
    roles: ["layers.0.query"],
    delta: () => ({ up: values(outputs! * 2), down: values(2 * inputs!), rank: 2 }),
  };
  return { weights, deltas };
}

test("a head trained with deltas runs on the model that was loaded with them, and on no other", async () => {
  const { weights, deltas } = await tinyDeltas();
  const folder = partFolder({
    base: deltas.base,
    embeddings: new Float32Array(3 * model.width),
    shape: {
      width: model.width,
      lookAhead: 4,
      threshold: 0.9,
      deltas: { file: "deltas.safetensors", sha256: deltas.contentHash },
    },
  });
  const adapted = await loadRuntime(adaptedWeights(weights, deltas), {
    id: "adapted",
    dtype: "fp32",
    threads: 1,
  });
  const ask = (on: Model, options: object = {}) =>
    generate(on, { prompt: PROMPTS[0]!, decoder: lud({ head: folder, ...options }), maxTokens: 4 });
  expect((await ask(adapted)).tokens).toHaveLength(4);
  await expect(ask(model)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("was trained on tiny.gguf with deltas.safetensors"),
  });
  expect((await ask(model, { allowUntrained: true })).tokens).toHaveLength(4);
  expect((await loadLexicalUnits(folder)).manifest.base.sha256).toBe(adapted.contentHash);
  await adapted.dispose();
});
