import { generate, plain, speculative } from "@foretoken/core";
import { layerSkip } from "@foretoken/layer-skip";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { speculativeSampling } from "@foretoken/speculative-sampling";
import { afterAll, beforeAll, expect, test } from "vitest";

/** The first and the last third of thirty layers: not searched, only enough to agree now and then. */
const LAYERS = Array.from({ length: 30 }, (_, layer) => layer).filter((layer) => layer < 14 || layer > 19);

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

test.each(["Write the numbers from one to ten as words.", "What is the capital of France? Answer shortly."])(
  "drafting with some of its own layers changes no token of: %s",
  async (content) => {
    const options = { messages: [{ role: "user", content }], maxTokens: 32, temperature: 0, seed: 1 };
    const decoder = speculative({
      drafters: speculativeSampling({ source: layerSkip({ layers: LAYERS }), length: 3 }),
    });
    const expected = await generate(model, { ...options, decoder: plain() });
    const { tokens, report } = await generate(model, { ...options, decoder });
    expect(tokens).toEqual(expected.tokens);
    expect(report.accepted).toBeGreaterThan(0);
    expect(model.cacheUse.rows).toBe(0);
  },
  120_000,
);
