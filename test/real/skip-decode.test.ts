import { type Decoder, generate, plain, speculative } from "@foretoken/core";
import { layerSkip } from "@foretoken/layer-skip";
import { promptLookup } from "@foretoken/prompt-lookup";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { skipDecode, skipDecodeDraft } from "@foretoken/skip-decode";
import { speculativeSampling } from "@foretoken/speculative-sampling";
import { afterAll, beforeAll, expect, test } from "vitest";

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

const schedule = skipDecode({ minLayers: 26, length: 24 });
const first = [{ role: "user", content: "Write the numbers from one to ten as words." }] as const;
const ask = (decoder: Decoder, options: object = {}) =>
  generate(model, { messages: first, maxTokens: 40, temperature: 0, seed: 1, decoder, ...options });

test("drafts under a schedule change no token of what plain decoding writes under it", async () => {
  const expected = await ask(plain({ schedule }));
  const layers = Array.from({ length: 30 }, (_, layer) => layer).filter((layer) => layer !== 14);
  for (const drafters of [
    promptLookup(),
    speculativeSampling({ source: layerSkip({ layers }), length: 3 }),
  ]) {
    const { tokens, report } = await ask(speculative({ drafters, schedule }));
    expect(tokens).toEqual(expected.tokens);
    expect(report.accepted).toBeGreaterThan(0);
  }
  expect(model.cacheUse.rows).toBe(0);
}, 180_000);

test("as a draft, a schedule changes no token", async () => {
  const source = skipDecodeDraft({ minLayers: 26, length: 24 });
  const { tokens, report } = await ask(speculative({ drafters: speculativeSampling({ source, length: 3 }) }));
  expect(tokens).toEqual((await ask(plain())).tokens);
  // Drafts at the first, whole bucket are nearly always right.
  expect(report.accepted / report.drafted).toBeGreaterThan(0.3);
}, 120_000);

test("a second turn is what a fresh session writes", async () => {
  const session = model.createSession();
  const decoder = plain({ schedule });
  const { text, usage } = await ask(decoder, { session });
  const messages = [
    ...first,
    { role: "assistant", content: text },
    { role: "user", content: "And backwards." },
  ];
  const second = await ask(decoder, { session, messages });
  expect(second.tokens).toEqual((await ask(decoder, { messages })).tokens);
  // The first prompt and the first bucket of the answer: what ran all layers.
  expect(second.usage.cachedTokens).toBe(usage.promptTokens + 6);
  session.dispose();
}, 180_000);
