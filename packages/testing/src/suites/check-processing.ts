import { type Generation, generate, type SamplingOptions } from "@foretoken/core";
import { expect } from "vitest";
import type { Check } from "./check.ts";
import { type DecoderBench, prompts } from "./decoder-bench.ts";
import { digitsInBraces, language, looping, unruly, wandering } from "./suite-scripts.ts";

const PENALTIES: readonly SamplingOptions[] = [
  { repetitionPenalty: 1.4 },
  { repetitionPenalty: 0.8 },
  { presencePenalty: 0.9 },
  { frequencyPenalty: 0.4 },
  { frequencyPenalty: -0.3 },
  { presencePenalty: 0.5, frequencyPenalty: 0.2, penalizePrompt: true },
  { bias: { 2: 1.5 }, bannedTokens: [4] },
];

/** What is done to logits between the model and the draw, on every node of a tree. */
export function processingChecks(bench: DecoderBench): Check[] {
  const checks: Check[] = [
    {
      name: "A10: a constraint holds in every answer, and is never asked behind the end",
      run: async () => {
        for (let seed = 0; seed < 40; seed++) {
          const temperature = seed % 2 === 0 ? 1.2 : 0;
          const options = {
            prompt: [seed % 6, 0, 1, 2, 3],
            seed,
            temperature,
            processors: [digitsInBraces()],
          };
          const answer = await bench.once(unruly, { ...options, maxTokens: 8 });
          expect(answer.text).toMatch(/^\{"a":[12]{1,3}\}$/);
          expect(answer.finish).toBe("end");
        }
      },
    },
    {
      name: "A7: every returned token has one log-probability, the model's own",
      run: async () => {
        for (const script of [looping, wandering]) {
          for (const temperature of [0, 0.8]) {
            const model = bench.model({ ...script, tokenizer: { endTokens: [3] } });
            const decoder = bench.decoder(model);
            for (const prompt of prompts(6)) {
              const options = { prompt, decoder, temperature, seed: 3, maxTokens: 20, logProbabilities: 3 };
              expectOwnLogProbabilities(await generate(model, options), prompt, model.logitsOf);
            }
          }
        }
      },
    },
  ];
  if (bench.level === "altered") return checks;
  return [
    ...checks,
    {
      name: "A4: penalties, bias and bans give plain decoding's text",
      run: async () => {
        for (const penalty of PENALTIES) {
          for (const script of [looping, wandering]) {
            for (const temperature of [0, 0.9]) {
              const options = { ...penalty, temperature, seed: 5, maxTokens: 24 };
              if (!bench.comparesTokens(options)) continue;
              for (const prompt of prompts(6)) await bench.expectEqual(script, { ...options, prompt });
            }
          }
        }
      },
    },
    {
      name: "A10: a constraint gives plain decoding's text",
      run: async () => {
        for (let seed = 0; seed < 20; seed++) {
          const temperature = bench.level === "identical" ? 1.2 : 0;
          const prompt = [seed % 6, language.open, 1, 2, language.close];
          const options = { prompt, seed, temperature, maxTokens: 1 + (seed % 8) };
          await bench.expectEqual(unruly, { ...options, processors: [digitsInBraces()] });
        }
      },
    },
    {
      name: "A7: log-probabilities under the processed law are plain decoding's",
      run: async () => {
        for (const temperature of [0, 0.8]) {
          const options = {
            prompt: [0, 1, 2, 3, 4],
            temperature,
            seed: 4,
            maxTokens: 16,
            frequencyPenalty: 0.3,
          };
          if (!bench.comparesTokens(options)) continue;
          const [given, expected] = [
            await bench.once(looping, { ...options, logProbabilities: 2 }),
            await bench.expected(looping, { ...options, logProbabilities: 2 }),
          ];
          const processed = ({ logProbabilities }: Generation) =>
            logProbabilities?.map((entry) => entry.processed);
          expect(processed(given)).toEqual(processed(expected)?.map((value) => expect.closeTo(value, 6)));
        }
      },
    },
  ];
}

function expectOwnLogProbabilities(
  { tokens, logProbabilities }: Generation,
  prompt: readonly number[],
  logitsOf: (tokens: readonly number[]) => Float32Array,
): void {
  expect(logProbabilities?.map(({ token }) => token)).toEqual(tokens);
  for (const [at, { token, raw, top }] of (logProbabilities ?? []).entries()) {
    const logits = Array.from(logitsOf([...prompt, ...tokens.slice(0, at)]));
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    expect(raw).toBeCloseTo(logits[token]! - total, 5);
    const best = logits.map((_, id) => id).sort((a, b) => logits[b]! - logits[a]! || a - b);
    expect(top.map((candidate) => candidate.token)).toEqual(best.slice(0, 3));
  }
}
