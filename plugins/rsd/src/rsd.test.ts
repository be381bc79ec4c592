import {
  denseLaw,
  fixedBudget,
  generate,
  rejection,
  seededRandom,
  speculative,
  type TokenId,
} from "@foretoken/core";
import { draftTrees, randomLaw, scriptedModel, scriptedSource } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { type RsdOptions, rsd } from "./index.ts";

/** How often a child of the root is accepted, drafting one level with and verifying against fixed laws. */
async function acceptance(
  target: readonly number[],
  draft: readonly number[],
  shape: Omit<RsdOptions, "source">,
  draws: number,
): Promise<number> {
  const source = scriptedSource({ law: () => draft });
  const trees = draftTrees(rsd({ source, ...shape }), { vocabularySize: target.length });
  const law = denseLaw(Float64Array.from(target));
  const verification = rejection().start();
  let accepted = 0;
  for (let seed = 0; seed < draws; seed++) {
    const random = seededRandom(seed);
    const { trials } = (await trees([0], random)).nodes[0]!;
    const decision = await verification.visit({
      node: 0,
      position: 1,
      trials,
      random,
      law: async () => law,
      hidden: async () => new Float32Array(),
    });
    if (decision.kind === "descend") accepted++;
  }
  return accepted / draws;
}

const TARGET = [0.1, 0.2, 0.05, 0.35, 0.3];
const DRAFT = [0.4, 0.3, 0.1, 0.1, 0.1];
const DRAWS = 8_000;

describe.each([
  [1, 0.55],
  [2, 0.68968],
  [3, 0.86698],
  [4, 0.975],
])("one of %d siblings is accepted with probability %d", (children, expected) => {
  test.each([
    ["RSD-C", { branching: [children] }],
    ["RSD-S", { width: children, depth: 1 }],
  ])("%s", async (_, shape) => {
    const share = await acceptance(TARGET, DRAFT, shape, DRAWS);
    expect(Math.abs(share - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / DRAWS));
  });
});

test.each([{ branching: [1] }, { width: 1, depth: 1 }])(
  "%j is speculative sampling: accepted with the probability that both laws share",
  async (shape) => {
    const share = await acceptance([0.5, 0.2, 0.3], [0.2, 0.2, 0.6], shape, DRAWS);
    expect(Math.abs(share - 0.7)).toBeLessThan(4 * Math.sqrt(0.21 / DRAWS));
  },
);

test("of two tokens, two siblings are never both refused", async () => {
  expect(await acceptance([0.9, 0.1], [0.05, 0.95], { branching: [2] }, 2_000)).toBe(1);
});

test("RSD-C gives every node of a level as many children, or as many as its law has tokens", async () => {
  const source = scriptedSource({
    law: (text) => (text.length === 2 ? [0.5, 0.5, 0, 0] : [0.4, 0.3, 0.2, 0.1]),
  });
  const trees = draftTrees(rsd({ source, branching: [3, 4, 1] }), { vocabularySize: 4, endTokens: [3] });
  for (let seed = 0; seed < 50; seed++) {
    const { nodes } = await trees([0], seededRandom(seed));
    for (const { token, depth, trials } of nodes) {
      expect(new Set(trials.map((trial) => trial.token)).size).toBe(trials.length);
      const isEnd = depth > 0 && token === 3;
      expect(trials).toHaveLength(isEnd ? 0 : [3, 2, 1, 0][depth]!);
    }
  }
});

test("a level costs one draft pass, and the last one none", async () => {
  for (const [shape, passes] of [
    [{ branching: [2, 2, 1] }, 3],
    [{ width: 3, depth: 4 }, 4],
  ] as const) {
    const source = scriptedSource({ law: randomLaw({ seed: 1, vocabularySize: 6 }) });
    const trees = draftTrees(rsd({ source, ...shape }), { vocabularySize: 6 });
    await trees([0], seededRandom(0));
    expect(source.counts.passes).toBe(passes);
  }
});

test("by default it prefers a beam of 12 nodes, and with branching the full tree", () => {
  const source = scriptedSource({ law: () => [1] });
  expect(rsd({ source }).defaultLimit).toBe(12);
  expect(rsd({ source, width: 5, depth: 6 }).defaultLimit).toBe(30);
  expect(rsd({ source, branching: [2, 2, 2, 2] }).defaultLimit).toBe(30);
  expect(rsd({ source, branching: [3, 1, 1, 1, 1, 1, 1] }).defaultLimit).toBe(21);
});

test("at temperature 0 it still drafts trees, and the text is plain decoding's", async () => {
  const law = randomLaw({ seed: 8, vocabularySize: 5 });
  const model = scriptedModel({ vocabularySize: 5, law });
  const source = scriptedSource({ law });
  const prompt: readonly TokenId[] = [0, 1];
  for (const shape of [{}, { branching: [2, 2] }]) {
    const decoder = speculative({ drafters: rsd({ source, ...shape }) });
    const { tokens, report } = await generate(model, { prompt, decoder, maxTokens: 40 });
    expect(tokens).toEqual((await generate(model, { prompt, maxTokens: 40 })).tokens);
    expect(report.targetPasses).toBeLessThan(25);
    expect(report.drafted).toBeGreaterThan(5 * report.targetPasses);
  }
});

test("one seed gives one text", async () => {
  const model = scriptedModel({ vocabularySize: 5, law: randomLaw({ seed: 8, vocabularySize: 5 }) });
  const source = scriptedSource({ law: randomLaw({ seed: 9, vocabularySize: 5 }) });
  const decoder = speculative({ drafters: rsd({ source }) });
  const write = (seed: number) =>
    generate(model, { prompt: [0], decoder, seed, temperature: 1, maxTokens: 30 });
  expect((await write(4)).tokens).toEqual((await write(4)).tokens);
  expect((await write(4)).tokens).not.toEqual((await write(5)).tokens);
});

test("a budget of 0 is plain decoding, and one of 1 drafts a token", async () => {
  const model = scriptedModel({ vocabularySize: 5, law: randomLaw({ seed: 8, vocabularySize: 5 }) });
  const source = scriptedSource({ law: randomLaw({ seed: 9, vocabularySize: 5 }) });
  for (const shape of [{}, { branching: [2, 2] }]) {
    for (const nodes of [0, 1]) {
      const decoder = speculative({ drafters: rsd({ source, ...shape }), budget: fixedBudget({ nodes }) });
      const { report } = await generate(model, { prompt: [0, 1], decoder, maxTokens: 20 });
      expect(report.drafted).toBeLessThanOrEqual(nodes * report.targetPasses);
      if (nodes === 0) expect([report.drafted, report.targetPasses]).toEqual([0, 19]);
      else expect(report.drafted).toBeGreaterThan(5);
    }
  }
});
