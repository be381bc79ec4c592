import { type Drafter, generate, speculative, stream, type TokenId } from "@foretoken/core";
import { dyspec } from "@foretoken/dyspec";
import { layerSkip } from "@foretoken/layer-skip";
import { promptLookup } from "@foretoken/prompt-lookup";
import { rsd } from "@foretoken/rsd";
import {
  exactLaw,
  expectLaw,
  randomLaw,
  scriptedModel,
  scriptedSource,
  testDecoder,
  tinyModel,
} from "@foretoken/testing";
import { tokenRecycling } from "@foretoken/token-recycling";
import { expect, test } from "vitest";

const sourceFor = (vocabularySize: number, seed: number) =>
  scriptedSource({ law: randomLaw({ seed, vocabularySize, order: 2, holes: 0.2 }) });

testDecoder(
  "rsd and prompt lookup merged",
  ({ vocabularySize }) =>
    speculative({ drafters: [rsd({ source: sourceFor(vocabularySize, 31) }), promptLookup()] }),
  { draws: 2_000 },
);

/** Drafters whose trials stand side by side behind the same nodes. */
const MERGED: Readonly<Record<string, () => readonly Drafter[]>> = {
  "RSD-C, prompt lookup and token recycling": () => [
    promptLookup({ minProbability: 0 }),
    rsd({ source: sourceFor(4, 32), branching: [2, 2] }),
    tokenRecycling({ nodes: 4 }),
  ],
  "dyspec and prompt lookup": () => [
    promptLookup({ minProbability: 0 }),
    dyspec({ source: sourceFor(4, 33), nodes: 5 }),
  ],
  "rsd and dyspec on one source": () => {
    const source = sourceFor(4, 34);
    return [rsd({ source, width: 2, depth: 2 }), dyspec({ source, nodes: 4, variant: "greedy" })];
  },
};

test.each(Object.entries(MERGED))("%s merged keep the target's law", async (_, makeDrafters) => {
  const model = scriptedModel({
    vocabularySize: 4,
    law: randomLaw({ seed: 5, vocabularySize: 4 }),
    tokenizer: false,
  });
  const decoder = speculative({ drafters: makeDrafters() });
  expect(decoder.guarantee().level).toBe("distribution");
  const prompt = [0, 1, 2, 0, 1];
  const length = 2;
  const exact = exactLaw({ logitsOf: model.logitsOf, prompt, length, temperature: 1 });
  const draw = async (seed: number) => {
    const tokens: TokenId[] = [];
    for await (const chunk of stream(model, { prompt, decoder, seed, maxTokens: 7, temperature: 1 })) {
      tokens.push(...chunk.tokens);
      if (tokens.length >= length) break;
    }
    return tokens.slice(0, length);
  };
  await expectLaw(draw, exact, { draws: 3_000 });
});

test("on a real runtime, trees drawn from its own model without a layer give plain decoding's text", async () => {
  const model = await tinyModel(3);
  const source = layerSkip({ layers: [0] });
  const prompt = [5, 9, 13, 5, 9];
  const plainly = await generate(model, { prompt, maxTokens: 24 });
  for (const drafters of [
    rsd({ source }),
    rsd({ source, branching: [2, 2] }),
    dyspec({ source, variant: "greedy" }),
  ]) {
    const decoder = speculative({ drafters });
    const { tokens, report } = await generate(model, { prompt, decoder, maxTokens: 24 });
    expect(tokens).toEqual(plainly.tokens);
    expect(report.drafted).toBeGreaterThan(report.targetPasses);
    expect(report.accepted).toBeGreaterThan(0);
  }
  await model.dispose();
});
