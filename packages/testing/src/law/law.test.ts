import type { LogitsProcessor, SamplingOptions } from "@foretoken/core";
import { expect, test } from "vitest";
import { mix } from "../scripted/context-node.ts";
import { randomLaw } from "../scripted/scripted-laws.ts";
import { compareLaw, countTexts, fitsLaw } from "./compare-law.ts";
import { exactLaw } from "./exact-law.ts";
import { referenceLaw } from "./reference-law.ts";

const nothing = { prompt: [], output: [] };
const logits = [1, 3, 3, 2].map((weight) => Math.log(weight / 9));
const shares = (options: SamplingOptions, path = nothing as { prompt: number[]; output: number[] }) =>
  referenceLaw(logits, { temperature: 1, ...options }, path).map((share) => Math.round(share * 1000) / 1000);

test("the reference law follows the words of each option", () => {
  expect(shares({})).toEqual([0.111, 0.333, 0.333, 0.222]);
  expect(shares({ temperature: 0 })).toEqual([0, 1, 0, 0]);
  expect(shares({ topK: 1 })).toEqual([0, 1, 0, 0]);
  expect(shares({ topK: 3 })).toEqual([0, 0.375, 0.375, 0.25]);
  // 3/9 + 3/9 reach 0.6; 0.67 needs a third; at least one stays.
  expect(shares({ topP: 0.6 })).toEqual([0, 0.5, 0.5, 0]);
  expect(shares({ topP: 0.67 })).toEqual([0, 0.375, 0.375, 0.25]);
  expect(shares({ topP: 1e-9 })).toEqual([0, 1, 0, 0]);
  expect(shares({ minP: 0.5 })).toEqual([0, 0.375, 0.375, 0.25]);
  expect(shares({ bannedTokens: [1, 2] })).toEqual([0.333, 0, 0, 0.667]);
  expect(shares({ bias: { 0: Math.log(3) } })).toEqual([0.273, 0.273, 0.273, 0.182]);
  expect(shares({ bannedTokens: [0, 1, 2, 3] })).toEqual([0, 0, 0, 0]);
});

test("penalties count what they say they count", () => {
  const path = { prompt: [1], output: [2, 2] };
  // Weights 1 3 3 2; a frequency penalty of ln 2 halves once for each output token.
  expect(shares({ frequencyPenalty: Math.log(2) }, path)).toEqual([0.148, 0.444, 0.111, 0.296]);
  expect(shares({ presencePenalty: Math.log(3) }, path)).toEqual([0.143, 0.429, 0.143, 0.286]);
  expect(shares({ presencePenalty: Math.log(3), penalizePrompt: true }, path)).toEqual([0.2, 0.2, 0.2, 0.4]);
  // Negative logits times 2 square the weights' ninths.
  const squared = [1 / 9, 1 / 9, 1 / 9, 2 / 9];
  expect(shares({ repetitionPenalty: 2 }, path)).toEqual(
    squared.map((x) => Math.round((x / (5 / 9)) * 1000) / 1000),
  );
});

test("processors see the state of their path", () => {
  const noRepeat: LogitsProcessor<number | undefined> = {
    name: "no-repeat",
    init: (prompt) => prompt.at(-1),
    advance: (_, token) => token,
    apply: (last, row) => {
      if (last !== undefined) row[last] = Number.NEGATIVE_INFINITY;
    },
  };
  expect(shares({ processors: [noRepeat] }, { prompt: [1], output: [] })).toEqual([0.167, 0, 0.5, 0.333]);
  expect(shares({ processors: [noRepeat] }, { prompt: [1], output: [2] })).toEqual([0.167, 0.5, 0, 0.333]);
});

test("the law of texts multiplies the laws of tokens, and ends at end tokens", () => {
  const law = exactLaw({
    logitsOf: (tokens) => (tokens.length === 1 ? [Math.log(0.25), Math.log(0.75)] : [0, 0]),
    prompt: [0],
    length: 2,
    endTokens: [1],
    temperature: 1,
  });
  const expected = { "0 0": 0.125, "0 1": 0.125, "1": 0.75 };
  expect(law.size).toBe(3);
  for (const [key, probability] of Object.entries(expected))
    expect(law.get(key)).toBeCloseTo(probability, 12);
});

const weights = randomLaw({ seed: 3, vocabularySize: 4 });
const law = exactLaw({
  logitsOf: (tokens) => weights(tokens).map(Math.log),
  prompt: [0],
  length: 3,
  temperature: 1,
});

/** Draws from the law itself, except that a share of the draws goes to one text. */
function drawWith(bias: number) {
  return (seed: number): number[] => {
    const text: number[] = [];
    const isBiased = mix(seed, 99) / 2 ** 32 < bias;
    for (let at = 0; at < 3; at++) {
      const uniform = mix(mix(seed, 7), at) / 2 ** 32;
      let reached = 0;
      const drawn = weights([0, ...text]).findIndex((share) => {
        reached += share;
        return uniform < reached;
      });
      text.push(isBiased ? 1 : drawn);
    }
    return text;
  };
}

test("draws from the law fit it", async () => {
  const comparison = compareLaw(await countTexts(drawWith(0), 100_000), law);
  expect(fitsLaw(comparison)).toBe(true);
  expect(comparison.totalVariation).toBeLessThan(0.02);
});

test("one draw in a hundred from another law is noticed", async () => {
  expect(fitsLaw(compareLaw(await countTexts(drawWith(0.01), 100_000), law))).toBe(false);
});

test("the same draws again and again fit too well or too badly, and impossible texts never fit", async () => {
  const exact = new Map([...law].map(([key, probability]) => [key, Math.round(probability * 1e6)]));
  expect(fitsLaw(compareLaw(exact, law))).toBe(false);
  const impossible = await countTexts((seed) => (seed === 0 ? [9, 9, 9] : drawWith(0)(seed)), 100_000);
  expect(compareLaw(impossible, law).impossible).toEqual(["9 9 9"]);
  expect(fitsLaw(compareLaw(impossible, law))).toBe(false);
});
