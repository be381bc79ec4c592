import { fixedBudget, generate, plain, speculative } from "@foretoken/core";
import { loadPromptTokens, ppd } from "@foretoken/ppd";
import { promptLookup } from "@foretoken/prompt-lookup";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { smollm2Ppd } from "@foretoken/smollm2-heads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectTrainingLogits } from "./probe-parity.ts";

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

test("logits behind prompt tokens are the training code's", async () => {
  const part = await loadPromptTokens(smollm2Ppd);
  const { width } = part.manifest.shape;
  const embeddings = part.floats("embeddings");
  await model.prepare({ embeddings: true, tree: true });
  const fixture = new URL("../../plugins/ppd/src/__fixtures__/smollm2-ppd.json", import.meta.url);
  await expectTrainingLogits(model, fixture, (step) => ({
    embedding: embeddings.subarray((step - 1) * width, step * width),
  }));
}, 60_000);

test.each([0, 0.8])(
  "at temperature %d the text is plain decoding's, alone and merged",
  async (temperature) => {
    const messages = [{ role: "user", content: "Write the numbers from one to ten as words, twice." }];
    const options = { messages, maxTokens: 48, temperature, seed: 5 };
    const wanted = await generate(model, { ...options, decoder: plain() });
    const drafter = ppd({ head: smollm2Ppd, rows: 8 });
    const budget = fixedBudget({ nodes: 6 });
    for (const drafters of [[drafter], [promptLookup(), drafter]]) {
      const { tokens, report } = await generate(model, {
        ...options,
        decoder: speculative({ drafters, budget }),
      });
      expect(tokens).toEqual(wanted.tokens);
      expect(report.bySource.ppd!.accepted).toBeGreaterThan(0);
      expect(model.cacheUse.rows).toBe(0);
    }
  },
  120_000,
);
