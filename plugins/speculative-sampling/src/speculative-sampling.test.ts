import {
  type Decision,
  denseLaw,
  generate,
  lawStateFor,
  plain,
  rejection,
  type SamplingOptions,
  seededRandom,
  speculative,
  type TokenId,
  type TokenLaw,
} from "@foretoken/core";
import { draftTrees, randomLaw, scriptedModel, scriptedSource } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import type { SpeculativeSamplingOptions } from "./options.ts";
import { speculativeSampling } from "./speculative-sampling.ts";

const law = randomLaw({ seed: 5, vocabularySize: 6, order: 2 });

/** The chain behind a text: its tokens, and the laws they were drawn from. */
async function chainBehind(
  text: readonly TokenId[],
  options: SpeculativeSamplingOptions,
  sampling: SamplingOptions = { temperature: 1 },
  seed = 3,
) {
  const model = scriptedModel({ vocabularySize: 6, law, tokenizer: { endTokens: [5] } });
  const session = model.createSession();
  for (const token of text.slice(0, -1)) session.commit((await session.forward([{ token }])).rows);
  const drafting = speculativeSampling(options).start({ model, session, missingPrefix: 0 });
  const tree = await drafting.propose(text.at(-1)!, 64, {
    random: seededRandom(seed),
    law: lawStateFor(sampling, { vocabularySize: 6, promptTokens: text }),
  });
  expect(tree.nodes.map(({ parent }) => parent)).toEqual(tree.nodes.map((_, node) => node - 1));
  return {
    tokens: tree.nodes.slice(1).map(({ token }) => token),
    laws: tree.nodes.flatMap(({ trials }) => trials.map(({ proposal }) => proposal as TokenLaw)),
  };
}

const shares = (of: TokenLaw) => [0, 1, 2, 3, 4, 5].map((token) => of.probability(token));

describe("speculative sampling", () => {
  test("draws each token from the draft's law behind the one before, a pass for each", async () => {
    const seen: string[] = [];
    const source = scriptedSource({
      law: (text) => {
        seen.push(text.join(" "));
        return [0, 1, 2, 3, 4, 5].map((token) => (token === (text.at(-1)! + 1) % 5 ? 1 : 0));
      },
    });
    const { tokens } = await chainBehind([0, 1, 2], { source });
    expect(tokens).toEqual([3, 4, 0, 1]);
    expect(seen).toEqual(["0 1 2", "0 1 2 3", "0 1 2 3 4", "0 1 2 3 4 0"]);
    expect(source.counts).toMatchObject({ passes: 4, rows: 4 });
  });

  test("the draft is warped as the target is, and cut before anything is drawn", async () => {
    const draft = [0.4, 0.3, 0.1, 0.1, 0.1, 0];
    const source = scriptedSource({ law: () => draft });
    const { laws } = await chainBehind(
      [0],
      { source, topK: 2 },
      { temperature: 0.5, bias: { 0: Math.log(0.5) } },
    );
    // 0.4 / 2 and 0.3, squared: the temperature is one half.
    expect(shares(laws[0]!)).toEqual([0.04 / 0.13, 0.09 / 0.13, 0, 0, 0, 0].map((p) => expect.closeTo(p, 6)));
  });

  test("for a target at temperature 0 the draft takes its most probable tokens, or draws as it is told", async () => {
    const source = scriptedSource({ law: () => [0.5, 0.5 ** 2, 0.25, 0, 0, 0] });
    const greedy = await chainBehind([0], { source }, { temperature: 0 });
    expect([greedy.tokens, shares(greedy.laws[3]!)]).toEqual([
      [0, 0, 0, 0],
      [1, 0, 0, 0, 0, 0],
    ]);
    const { laws } = await chainBehind([0], { source, temperature: 1.2 }, { temperature: 0 });
    expect(laws[0]!.probability(0) / laws[0]!.probability(1)).toBeCloseTo(2 ** (1 / 1.2), 5);
  });

  test("drafts nothing behind an end token", async () => {
    const source = scriptedSource({
      law: ([...text]) => (text.length < 4 ? [1, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 1]),
    });
    const { tokens } = await chainBehind([1, 2], { source, length: 6 });
    expect(tokens).toEqual([0, 0, 5]);
  });

  test("drafts as far as the draft's context goes, and not at all behind it", async () => {
    const source = scriptedSource({ law: () => [1, 0, 0, 0, 0, 0], contextLength: 4 });
    expect((await chainBehind([1, 2, 3], { source })).tokens).toHaveLength(2);
    expect((await chainBehind([1, 2, 3, 4, 0], { source })).tokens).toHaveLength(0);
  });

  test("keeps to the limit and to its length", async () => {
    const trees = draftTrees(speculativeSampling({ source: scriptedSource({ law }), length: 3 }), {
      vocabularySize: 6,
      limit: 2,
    });
    expect((await trees([1], seededRandom(1))).size).toBe(2);
    expect(
      (await chainBehind([1], { source: scriptedSource({ law: () => [1, 0, 0, 0, 0, 0] }), length: 3 }))
        .tokens,
    ).toHaveLength(3);
  });

  test("a draft that is the target is always accepted", async () => {
    const model = scriptedModel({ vocabularySize: 6, law });
    const decoder = speculative({
      drafters: speculativeSampling({ source: scriptedSource({ law }), topK: 0, length: 3 }),
    });
    for (const temperature of [0.6, 1]) {
      const { report } = await generate(model, {
        prompt: [0, 1],
        decoder,
        maxTokens: 41,
        temperature,
        seed: 2,
      });
      expect(report).toMatchObject({ targetPasses: 10, drafted: 30, accepted: 30 });
    }
  });

  test("at temperature 0 it writes plain decoding's text, with drafts accepted and refused", async () => {
    const model = scriptedModel({ vocabularySize: 6, law });
    const source = scriptedSource({
      law: (text) => law(text).map((share, token) => share + 0.15 * (token % 3)),
    });
    const options = { prompt: [2, 1], maxTokens: 60, temperature: 0 };
    const { tokens } = await generate(model, { ...options, decoder: plain() });
    const decoder = speculative({ drafters: speculativeSampling({ source }) });
    const answer = await generate(model, { ...options, decoder });
    expect(answer.tokens).toEqual(tokens);
    expect(answer.report.accepted).toBeGreaterThan(5);
    expect(answer.report.accepted).toBeLessThan(answer.report.drafted - 5);
  });

  test("accepts as often as the two laws overlap", async () => {
    const q = [0.1, 0.2, 0.05, 0.35, 0.3];
    const p = [0.4, 0.3, 0.1, 0.1, 0.1];
    const trees = draftTrees(speculativeSampling({ source: scriptedSource({ law: () => p }), length: 1 }), {
      vocabularySize: 5,
    });
    const verification = rejection().start();
    const target = denseLaw(Float64Array.from(q));
    const draws = 20_000;
    let accepted = 0;
    for (let seed = 0; seed < draws; seed++) {
      const random = seededRandom(seed);
      const tree = await trees([0], random);
      const decision: Decision = await verification.visit({
        node: 0,
        position: 1,
        trials: tree.nodes[0]!.trials,
        random,
        law: async () => target,
        hidden: async () => new Float32Array(4),
      });
      if (decision.kind === "descend") accepted++;
    }
    // The sum of min(p, q); four standard deviations of the count.
    expect(Math.abs(accepted / draws - 0.55)).toBeLessThan(4 * Math.sqrt((0.55 * 0.45) / draws));
  });
});
