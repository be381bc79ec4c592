import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRegistry, generate, rejection, speculative } from "@foretoken/core";
import { type JudgeHead, judge, plugin as judgePlugin, loadJudge, type Verdict } from "@foretoken/judge";
import { layerSkip, plugin as layerSkipPlugin } from "@foretoken/layer-skip";
import { promptLookup, plugin as promptLookupPlugin } from "@foretoken/prompt-lookup";
import { rsd, plugin as rsdPlugin } from "@foretoken/rsd";
import { smollm2Judge } from "@foretoken/smollm2-heads";
import { randomLaw, type ScriptedModel, scriptedSource, testDecoder, tinyModel } from "@foretoken/testing";
import { expect, test } from "vitest";

/** A judge that was trained on nothing, with the right papers for `model`. */
function judgeFor(
  { contentHash, dtype, width }: Pick<ScriptedModel, "contentHash" | "dtype" | "width">,
  weightAt: (index: number) => number,
  bias: number,
): JudgeHead {
  return {
    format: "foretoken-head",
    version: 1,
    kind: "judge",
    name: "untrained",
    base: { file: "none", sha256: contentHash },
    dtypes: [dtype],
    threshold: 0.5,
    weight: Array.from({ length: width }, (_, index) => weightAt(index)),
    bias,
  };
}

const sourceFor = (vocabularySize: number) =>
  scriptedSource({ law: randomLaw({ seed: 61, vocabularySize, order: 2, holes: 0.2 }) });
const ofOwnToken = (index: number) => (index === 0 ? 1 : 0);

testDecoder("judge over rsd", (model) =>
  speculative({
    drafters: rsd({ source: sourceFor(model.vocabularySize), width: 2, depth: 3 }),
    verifier: judge({ verifier: rejection(), head: judgeFor(model, ofOwnToken, -1.5) }),
  }),
);

testDecoder(
  "judge with threshold 1 over rsd and prompt lookup merged",
  ({ vocabularySize }) =>
    speculative({
      drafters: [rsd({ source: sourceFor(vocabularySize) }), promptLookup()],
      verifier: judge({ verifier: rejection(), threshold: 1 }),
    }),
  {
    level: "identical",
    draws: 0,
    reference: ({ vocabularySize }) =>
      speculative({ drafters: [rsd({ source: sourceFor(vocabularySize) }), promptLookup()] }),
  },
);

const prompt = [5, 9, 13, 5, 9];

test("on a real runtime a judge reads the rows it judges: scores are those of the text run anew", async () => {
  const model = await tinyModel(3);
  const head = judgeFor(model, (index) => Math.sin(index + 1), 0.3);
  const seen: Verdict[] = [];
  const source = layerSkip({ layers: [0] });
  const decoder = speculative({
    drafters: rsd({ source, width: 3, depth: 2 }),
    verifier: judge({ verifier: rejection(), head, onVerdict: (verdict) => seen.push(verdict) }),
  });
  const { tokens, report } = await generate(model, {
    prompt,
    decoder,
    maxTokens: 48,
    ignoreEnd: true,
    temperature: 1,
    seed: 2,
  });
  const text = [...prompt, ...tokens];
  const judged = seen.flatMap(({ position, judged }) => judged.map((one) => ({ position, ...one })));
  expect(judged.length).toBeGreaterThan(4);
  expect(report.accepted).toBe(seen.filter(({ by }) => by !== "target").length);

  await model.prepare({ hidden: [model.layers] });
  for (const { position, token, score } of judged.slice(0, 12)) {
    const session = model.createSession();
    const rows = [...text.slice(0, position), token].map((token) => ({ token }));
    const pass = await session.forward(rows, { hidden: [model.layers] });
    const state = (await pass.hidden(model.layers).read()).slice(-model.width);
    const logit = head.weight.reduce((sum, weight, index) => sum + weight * state[index], head.bias);
    expect(score).toBeCloseTo(1 / (1 + Math.exp(-logit)), 3);
    session.dispose();
  }
});

test("on a real runtime threshold 1 writes the inner decoder's text", async () => {
  const model = await tinyModel(3);
  const drafters = rsd({ source: layerSkip({ layers: [0] }) });
  for (const temperature of [0, 1]) {
    const options = { prompt, maxTokens: 24, temperature, seed: 5 };
    const inner = await generate(model, { ...options, decoder: speculative({ drafters }) });
    const verifier = judge({ verifier: rejection(), threshold: 1 });
    const judged = await generate(model, { ...options, decoder: speculative({ drafters, verifier }) });
    expect(judged.tokens).toEqual(inner.tokens);
    expect(judged.guarantee.level).toBe("distribution");
  }
});

test("composed from JSON: judge over rsd merged with prompt lookup", async () => {
  const registry = createRegistry();
  for (const plugin of [judgePlugin, rsdPlugin, layerSkipPlugin, promptLookupPlugin])
    registry.register(plugin);
  const model = await tinyModel(3);
  const json = (threshold: number) => ({
    use: "speculative",
    drafters: [
      { use: "rsd", source: { use: "layer-skip", layers: [0] }, width: 2, depth: 2 },
      { use: "prompt-lookup", maxTokens: 2 },
    ],
    verifier: { use: "judge", verifier: "rejection", threshold },
  });
  const resources = { "judge-head": judgeFor(model, () => 0, 2) };
  const levels: string[] = [];
  for (const threshold of [0.8, 0.9, 1]) {
    const decoder = registry.compose("decoder", json(threshold), { resources });
    const { guarantee, report } = await generate(model, { prompt, decoder, maxTokens: 24 });
    levels.push(guarantee.level);
    // The sigmoid of 2 is 0.88: above the first threshold, below the second.
    if (threshold === 0.8) expect(report.accepted / report.targetPasses).toBeGreaterThan(1.5);
  }
  expect(levels).toEqual(["altered", "altered", "distribution"]);
});

test("the shipped judge is the one its manifest describes", async () => {
  const manifest = JSON.parse(readFileSync(new URL("manifest.json", smollm2Judge), "utf8"));
  const head = await loadJudge(smollm2Judge);
  const values = Float64Array.from([...head.weight, head.bias]);
  const digest = createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex");
  expect(digest).toBe(manifest.weights.sha256OfWeightAndBiasInFloat64);
  expect(head.base).toEqual(manifest.base);
  expect(head.dtypes).toEqual(manifest.dtypes);
  expect(head.weight).toHaveLength(manifest.shape.width);
  expect(head.threshold).toBeCloseTo(manifest.threshold.value, 3);
});
