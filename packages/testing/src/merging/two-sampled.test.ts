import { speculative, stream, type TokenId } from "@foretoken/core";
import { test } from "vitest";
import { sampledDrafter } from "../drafters/sampled-drafter.ts";
import { expectLaw } from "../law/compare-law.ts";
import { exactLaw } from "../law/exact-law.ts";
import { scriptedModel } from "../scripted/scripted-model.ts";

test("two drafters that draw from one law draw with noise of their own", async () => {
  const model = scriptedModel({ vocabularySize: 4, law: () => [0.1, 0.2, 0.3, 0.4], tokenizer: false });
  const decoder = speculative({
    drafters: ["first", "second"].map((name) =>
      sampledDrafter({ name, law: () => [0.4, 0.3, 0.2, 0.1], branching: [1] }),
    ),
  });
  const prompt = [0];
  const exact = exactLaw({ logitsOf: model.logitsOf, prompt, length: 2, temperature: 1 });
  const draw = async (seed: number) => {
    const tokens: TokenId[] = [];
    for await (const step of stream(model, { prompt, decoder, seed, maxTokens: 4, temperature: 1 })) {
      tokens.push(...step.tokens);
      if (tokens.length >= 2) break;
    }
    return tokens.slice(0, 2);
  };
  await expectLaw(draw, exact, { draws: 6_000 });
});
