import { type Decoder, generate, plain, speculative } from "@foretoken/core";
import { type KeptToken, loadLexicalUnits, lud, ludDraft } from "@foretoken/lud";
import { promptLookup } from "@foretoken/prompt-lookup";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { smollm2Lud } from "@foretoken/smollm2-heads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectTrainingLogits } from "./probe-parity.ts";

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

test("logits behind paddings are the training code's", async () => {
  const part = await loadLexicalUnits(smollm2Lud);
  const { width } = part.manifest.shape;
  const embeddings = part.floats("embeddings");
  await model.prepare({ embeddings: true, tree: true });
  const fixture = new URL("../../plugins/lud/src/__fixtures__/smollm2-lud.json", import.meta.url);
  await expectTrainingLogits(model, fixture, (step) => ({
    embedding: embeddings.subarray((step - 1) * width, step * width),
  }));
}, 60_000);

const messages = [{ role: "user", content: "Write the numbers from one to ten as words, twice." }];
const answer = (decoder: Decoder, temperature = 0) =>
  generate(model, { messages, maxTokens: 48, temperature, seed: 5, decoder });

test.each([0, 0.8])(
  "at temperature %d verified text is plain decoding's",
  async (temperature) => {
    const wanted = await answer(plain(), temperature);
    for (const decoder of [
      lud({ head: smollm2Lud, threshold: 0.2, verify: true }),
      speculative({ drafters: [promptLookup(), ludDraft({ head: smollm2Lud, threshold: 0.2 })] }),
    ]) {
      const { tokens, report } = await answer(decoder, temperature);
      expect(tokens).toEqual(wanted.tokens);
      expect(report.accepted).toBeGreaterThan(0);
      expect(model.cacheUse.rows).toBe(0);
    }
  },
  120_000,
);

test("unverified text is told of: what the target says beside each guess is what verifying would say", async () => {
  const kept: KeptToken[] = [];
  const decoder = lud({ head: smollm2Lud, threshold: 0.3, onKept: (one) => kept.push(one) });
  const { tokens, guarantee } = await answer(decoder);
  expect(guarantee.level).toBe("altered");
  expect(kept.length).toBeGreaterThan(0);
  const session = model.createSession();
  const text = [...model.tokenizer.renderChat(messages).tokens, ...tokens];
  const pass = await session.forward(
    text.map((token) => ({ token })),
    { logits: "all" },
  );
  for (const { position, token, targetToken } of kept) {
    expect(text[position]).toBe(token);
    expect(await pass.argmax(position - 1)).toBe(targetToken);
  }
  session.dispose();
}, 120_000);
