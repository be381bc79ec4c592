import { createRegistry, generate, plain, speculative } from "@foretoken/core";
import { plugin as draftModelPlugin } from "@foretoken/draft-model";
import { layerSkip, plugin as layerSkipPlugin } from "@foretoken/layer-skip";
import { promptLookup } from "@foretoken/prompt-lookup";
import { speculativeSampling, plugin as speculativeSamplingPlugin } from "@foretoken/speculative-sampling";
import { randomLaw, scriptedModel, testDecoder } from "@foretoken/testing";
import { describe, expect, test } from "vitest";

const law = randomLaw({ seed: 9, vocabularySize: 6, order: 2 });
const newModel = (id: string) => scriptedModel({ id, vocabularySize: 6, law, layers: 6, layerNoise: 0.5 });

const registry = createRegistry();
for (const plugin of [draftModelPlugin, layerSkipPlugin, speculativeSamplingPlugin])
  registry.register(plugin);

describe("draft sources from JSON", () => {
  const sources = {
    "layers left out": { use: "layer-skip", layers: [0, 1, 2, 5] },
    "a resource": { use: "draft-model", model: "small" },
    "a model loaded when it is needed": { use: "draft-model", model: "./small.gguf" },
  };

  test.each(Object.entries(sources))("%s drafts, and the text is plain decoding's", async (_, source) => {
    const decoder = registry.compose(
      "decoder",
      { use: "speculative-sampling", source, length: 3, temperature: 0.2 },
      { resources: { small: newModel("small"), loadModel: async (name: string) => newModel(name) } },
    );
    const target = newModel("target");
    const options = { prompt: [1, 2, 3], maxTokens: 40, temperature: 0 };
    const { tokens, report } = await generate(target, { ...options, decoder });
    expect(tokens).toEqual((await generate(newModel("target"), { ...options, decoder: plain() })).tokens);
    expect(report.accepted).toBeGreaterThan(10);
    expect(target.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0 });
  });

  test("a draft with another vocabulary is refused before anything runs", async () => {
    const small = scriptedModel({
      id: "small",
      vocabularySize: 6,
      law,
      tokenizer: { texts: ["a", "b", "z"] },
    });
    const decoder = registry.compose(
      "decoder",
      { use: "speculative-sampling", source: sources["a resource"] },
      { resources: { small } },
    );
    const target = newModel("target");
    await expect(generate(target, { prompt: [1], maxTokens: 4, decoder })).rejects.toMatchObject({
      code: "VOCABULARY_MISMATCH",
      message: 'small cannot draft for target: token 2 is "c" to target, but "z" to small.',
    });
    expect(target.inspection.passes).toBe(0);
  });
});

testDecoder(
  "prompt lookup and a drawn chain merged",
  () =>
    speculative({
      drafters: [promptLookup(), speculativeSampling({ source: layerSkip({ layers: [0, 2] }), length: 2 })],
    }),
  { draws: 3_000 },
);
