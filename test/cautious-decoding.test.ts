import { cntp } from "@foretoken/cntp";
import { type Decoder, generate, plain, speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { rsd } from "@foretoken/rsd";
import { randomLaw, type ScriptedModel, scriptedSource, testDecoder, tinyModel } from "@foretoken/testing";
import { tokenRecycling } from "@foretoken/token-recycling";
import { expect, test } from "vitest";

const INNER: Readonly<Record<string, (model: ScriptedModel) => Decoder>> = {
  "tables, merged": () => speculative({ drafters: [promptLookup(), tokenRecycling({ nodes: 4 })] }),
  rsd: ({ vocabularySize }) => {
    const source = scriptedSource({ law: randomLaw({ seed: 31, vocabularySize, order: 2, holes: 0.2 }) });
    return speculative({ drafters: rsd({ source, width: 2, depth: 3 }) });
  },
};
for (const [name, inner] of Object.entries(INNER)) {
  testDecoder(`cntp around ${name}`, (model) =>
    cntp({ punctuation: [3], maxTrials: 4, decoder: inner(model) }),
  );
}

test("on a real graph and its cache a seed writes one text, whoever decodes and however trials run", async () => {
  const model = await tinyModel(5);
  const punctuation = Array.from({ length: 20 }, (_, index) => index * 5);
  const texts = [];
  for (const execution of ["forest", "sequential"] as const) {
    for (const decoder of [plain(), speculative({ drafters: promptLookup({ minProbability: 0 }) })]) {
      const { tokens, report } = await generate(model, {
        prompt: [1, 2, 3, 4, 1, 2, 3],
        decoder: cntp({ punctuation, execution, decoder, maxEntropy: 0.8, maxTrials: 4, maxTrialTokens: 6 }),
        temperature: 1.2,
        seed: 3,
        maxTokens: 30,
        ignoreEnd: true,
      });
      texts.push(tokens);
      expect(report.choices[0]).toMatch(/^Trials at a place: .*4 at \d+\.$/);
      expect(model.cacheUse.rows).toBe(0);
    }
  }
  expect(new Set(texts.map(String)).size).toBe(1);
  await model.dispose();
});
