import { autoBudget, generate, type Model, plain, speculative } from "@foretoken/core";
import { hiddenTransfer } from "@foretoken/hidden-transfer";
import { ppd } from "@foretoken/ppd";
import { promptLookup } from "@foretoken/prompt-lookup";
import { testDecoder, tinyModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { mapsFor } from "../plugins/hidden-transfer/src/__fixtures__/transfer-maps.ts";
import { promptTokensFor } from "../plugins/ppd/src/__fixtures__/prompt-tokens.ts";

const promptTokens = (model: Model) => ppd({ head: promptTokensFor(model), rows: 8 });
const transfer = (model: Model) => hiddenTransfer({ head: mapsFor(model), rows: 8 });

testDecoder(
  "prompt lookup and prompt tokens merged",
  (model) => speculative({ drafters: [promptLookup(), promptTokens(model)] }),
  { draws: 2_000 },
);
testDecoder(
  "prompt lookup and hidden transfer merged",
  (model) => speculative({ drafters: [promptLookup(), transfer(model)] }),
  { draws: 0 },
);
testDecoder(
  "two drafters with probes merged",
  (model) => speculative({ drafters: [transfer(model), promptTokens(model)], budget: autoBudget() }),
  { draws: 0 },
);

test("on a real graph, texts that share passes are plain decoding's, whoever drafts them", async () => {
  const model = await tinyModel(8, { layers: 3 });
  const prompts = [
    [5, 9, 2, 33, 5, 9],
    [71, 14, 8, 8],
    [3, 100, 3, 100, 3],
  ];
  const decoders = [
    speculative({ drafters: [promptLookup(), transfer(model)] }),
    speculative({ drafters: [transfer(model), promptTokens(model)] }),
    speculative({ drafters: promptTokens(model) }),
  ];
  for (const temperature of [0, 0.8]) {
    const options = { maxTokens: 30, seed: 4, temperature };
    const given = await Promise.all(
      prompts.map((prompt, at) => generate(model, { ...options, prompt, decoder: decoders[at]! })),
    );
    for (const [at, prompt] of prompts.entries()) {
      const expected = await generate(model, { ...options, prompt, decoder: plain() });
      expect(given[at]!.tokens).toEqual(expected.tokens);
    }
  }
  expect(model.cacheUse.rows).toBe(0);
  await model.dispose();
});
