import { generate, type SamplingOptions, stream, type TokenId } from "@foretoken/core";
import { expect } from "vitest";
import { expectLaw } from "../law/compare-law.ts";
import { exactLaw } from "../law/exact-law.ts";
import type { Check } from "./check.ts";
import { type DecoderBench, prompts, type SuiteScript } from "./decoder-bench.ts";
import { END, looping, tiny, tinyWithHoles, wandering } from "./suite-scripts.ts";

/** Sampling options under which seeds are compared. */
const SAMPLINGS: readonly SamplingOptions[] = [
  { temperature: 0.8, topP: 0.95 },
  { temperature: 1 },
  { temperature: 1.3, topK: 3, minP: 0.05 },
];

/** Tokens a law check looks at, and the budget it allows: more, so that drafts have room. */
const LAW_LENGTH = 3;
const LAW_BUDGET = 8;

/** The text is the reference's, as far as the guarantee goes. */
export function equalityChecks(bench: DecoderBench): Check[] {
  const checks: Check[] = [
    {
      name: "the same seed gives the same text again",
      run: async () => {
        const model = bench.model(looping);
        const decoder = bench.decoder(model);
        for (const sampling of SAMPLINGS) {
          const options = { prompt: prompts(6)[2], maxTokens: 20, seed: 7, ...sampling };
          const { tokens } = await generate(model, { ...options, decoder });
          expect((await generate(model, { ...options, decoder })).tokens).toEqual(tokens);
          expect((await bench.once(looping, options)).tokens).toEqual(tokens);
        }
      },
    },
  ];
  if (bench.level !== "altered") {
    checks.push({
      name: "temperature 0 gives plain decoding's tokens",
      run: async () => {
        for (const script of [wandering, looping]) {
          for (const prompt of prompts(6)) await bench.expectEqual(script, { prompt, maxTokens: 24 });
        }
      },
    });
  }
  if (bench.level === "identical") {
    checks.push({
      name: "the same seed gives plain decoding's tokens",
      run: async () => {
        for (const script of [wandering, looping]) {
          for (const [seed, prompt] of [...prompts(6), ...prompts(6)].entries()) {
            for (const sampling of SAMPLINGS)
              await bench.expectEqual(script, { prompt, maxTokens: 24, seed, ...sampling });
          }
        }
      },
    });
  }
  if (bench.level !== "altered" && bench.draws > 0) {
    checks.push(
      lawCheck("texts have the exact law", bench, tiny, { temperature: 1 }),
      lawCheck("texts have the exact law where the law has holes", bench, tinyWithHoles, {
        temperature: 0.8,
        topP: 0.9,
      }),
    );
  }
  return checks;
}

function lawCheck(name: string, bench: DecoderBench, script: SuiteScript, sampling: SamplingOptions): Check {
  return {
    name,
    run: async () => {
      const model = bench.model({ ...script, tokenizer: false });
      const decoder = bench.decoder(model);
      const prompt = [0, 1, 2, 0, 1];
      const endTokens = [END];
      const law = exactLaw({ logitsOf: model.logitsOf, prompt, length: LAW_LENGTH, endTokens, ...sampling });
      const draw = async (seed: number) => {
        const tokens: TokenId[] = [];
        const answer = stream(model, {
          prompt,
          decoder,
          seed,
          maxTokens: LAW_BUDGET,
          endTokens,
          ...sampling,
        });
        for await (const chunk of answer) {
          tokens.push(...chunk.tokens);
          if (tokens.length >= LAW_LENGTH) break;
        }
        return tokens.slice(0, LAW_LENGTH);
      };
      await expectLaw(draw, law, { draws: bench.draws });
    },
  };
}
