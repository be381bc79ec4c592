import { aded } from "@foretoken/aded";
import { bigram } from "@foretoken/bigram";
import { type Decoder, fixedBudget, generate, plain, speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { tokenRecycling } from "@foretoken/token-recycling";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const prompts = [
  "Write the numbers from one to ten as words, twice.",
  'Translate to French: "The cat sat on the mat, and the dog sat on the cat."',
  "A shop sells 3 pens for 2 euros. How much do 12 pens cost? Explain, then say the answer again.",
];

const decoders: Readonly<Record<string, () => Decoder>> = {
  "prompt lookup": () => speculative({ drafters: promptLookup() }),
  "token recycling": () => speculative({ drafters: tokenRecycling() }),
  aded: () => speculative({ drafters: aded({ nodes: 4 }) }),
  bigram: () => speculative({ drafters: bigram({ nodes: 4 }) }),
  "both merged": () =>
    speculative({ drafters: [promptLookup(), tokenRecycling()], budget: fixedBudget({ nodes: [5, 8] }) }),
};

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

const answer = (content: string, decoder: Decoder, temperature: number) =>
  generate(model, {
    messages: [{ role: "user", content }],
    decoder,
    maxTokens: 40,
    temperature,
    topP: temperature === 0 ? 1 : 0.95,
    seed: 7,
    logProbabilities: 2,
  });

describe.each(Object.entries(decoders))("%s in fp32", (_, makeDecoder) => {
  test.each([0, 0.8])(
    "gives plain's tokens at temperature %d",
    async (temperature) => {
      const decoder = makeDecoder();
      let passes = 0;
      let tokens = 0;
      for (const prompt of prompts) {
        const expected = await answer(prompt, plain(), temperature);
        const { tokens: got, logProbabilities, report } = await answer(prompt, decoder, temperature);
        expect(got).toEqual(expected.tokens);
        for (const [index, { raw, processed }] of logProbabilities!.entries()) {
          expect(raw).toBeCloseTo(expected.logProbabilities![index]!.raw, 2);
          expect(processed).toBeCloseTo(expected.logProbabilities![index]!.processed, 2);
        }
        passes += report.targetPasses;
        tokens += report.tokens - 1;
      }
      expect(tokens / passes).toBeGreaterThan(1);
    },
    240_000,
  );
});

test("wasm writes what the CPU writes", async () => {
  const wasm = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "wasm" });
  try {
    const options = { messages: [{ role: "user", content: prompts[0]! }], maxTokens: 12 };
    const decoder = speculative({ drafters: promptLookup() });
    const expected = await generate(model, options);
    expect((await generate(wasm, options)).text).toBe(expected.text);
    expect((await generate(wasm, { ...options, decoder })).text).toBe(expected.text);
  } finally {
    await wasm.dispose();
  }
}, 300_000);
