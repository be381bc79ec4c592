import { fixedBudget, generate, plain, speculative } from "@foretoken/core";
import { hiddenTransfer, loadTransferMaps } from "@foretoken/hidden-transfer";
import { promptLookup } from "@foretoken/prompt-lookup";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { smollm2HiddenTransfer } from "@foretoken/smollm2-heads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { transferExtensions, transferInputs } from "../../plugins/hidden-transfer/src/transfer-extensions.ts";
import { expectTrainingLogits } from "./probe-parity.ts";

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

test("pseudo rows have the training code's logits", async () => {
  const maps = await loadTransferMaps(smollm2HiddenTransfer);
  await model.prepare({ extensions: transferExtensions(maps), embeddings: true });
  const inputs = transferInputs(maps);
  const fixture = new URL(
    "../../plugins/hidden-transfer/src/__fixtures__/smollm2-hidden-transfer.json",
    import.meta.url,
  );
  await expectTrainingLogits(model, fixture, (step) => ({
    embedding: new Float32Array(model.width),
    integers: { [inputs.step]: step, [inputs.source]: step },
  }));
}, 60_000);

test.each([0, 0.8])(
  "at temperature %d the text is plain decoding's, alone and merged",
  async (temperature) => {
    const messages = [{ role: "user", content: "Write the numbers from one to ten as words, twice." }];
    const options = { messages, maxTokens: 48, temperature, seed: 5 };
    const wanted = await generate(model, { ...options, decoder: plain() });
    const drafter = hiddenTransfer({ head: smollm2HiddenTransfer, rows: 8 });
    const budget = fixedBudget({ nodes: 6 });
    for (const drafters of [[drafter], [promptLookup(), drafter]]) {
      const decoder = speculative({ drafters, budget });
      const { tokens, report } = await generate(model, { ...options, decoder });
      expect(tokens).toEqual(wanted.tokens);
      expect(report.bySource["hidden-transfer"]!.accepted).toBeGreaterThan(0);
      expect(model.cacheUse.rows).toBe(0);
    }
  },
  120_000,
);
