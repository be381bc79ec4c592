import { denseLaw, fixedBudget, generate, rejection, seededRandom, speculative } from "@foretoken/core";
import { draftTrees, randomLaw, scriptedModel, scriptedSource } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { dyspec } from "./index.ts";

const DRAWS = 8_000;

describe.each([
  [1, 0.55],
  [2, 0.68968],
  [3, 0.86698],
  [4, 0.975],
])("one of %d siblings is accepted with probability %d", (nodes, expected) => {
  test.each([
    ["by layers", { threshold: 1e-9 }],
    ["greedily", { variant: "greedy" }],
  ] as const)("drawn %s", async (_, shape) => {
    const source = scriptedSource({ law: () => [0.4, 0.3, 0.1, 0.1, 0.1] });
    const drafter = dyspec({ source, nodes, maxDepth: 1, ...shape });
    const trees = draftTrees(drafter, { vocabularySize: 5 });
    const law = denseLaw(Float64Array.of(0.1, 0.2, 0.05, 0.35, 0.3));
    const verification = rejection().start();
    let accepted = 0;
    for (let seed = 0; seed < DRAWS; seed++) {
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
    const share = accepted / DRAWS;
    expect(Math.abs(share - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / DRAWS));
  });
});

test("by default draws by layers, 16 nodes at most, where verification comes one time in as many", async () => {
  const source = scriptedSource({ law: () => [0.5, 0.3, 0.2] });
  const drafter = dyspec({ source });
  expect(drafter.defaultLimit).toBe(16);
  const by = (options: object, limit?: number) =>
    draftTrees(dyspec({ source, ...options }), { vocabularySize: 3, limit })([0], seededRandom(3));
  const explicit = await by({ variant: "threshold", nodes: 16, threshold: 1 / 16, maxDepth: 8, topK: 64 });
  expect((await by({})).nodes).toEqual(explicit.nodes);
  // A budget of the loop moves the threshold with it.
  expect((await by({}, 4)).nodes).toEqual((await by({ threshold: 1 / 4 }, 4)).nodes);
});

test("the greedy variant runs the draft in batches of 4", async () => {
  const source = scriptedSource({ law: randomLaw({ seed: 4, vocabularySize: 6 }) });
  const passes = async (batch?: number) => {
    const before = source.counts.passes;
    const drafter = dyspec({ source, variant: "greedy", nodes: 24, batch });
    await draftTrees(drafter, { vocabularySize: 6 })([0], seededRandom(1));
    return source.counts.passes - before;
  };
  expect(await passes()).toBe(await passes(4));
  expect(await passes()).toBeLessThan(await passes(1));
});

test("at temperature 0 it still drafts trees, and the text is plain decoding's", async () => {
  const law = randomLaw({ seed: 8, vocabularySize: 5 });
  const model = scriptedModel({ vocabularySize: 5, law });
  const source = scriptedSource({ law });
  const plainly = await generate(model, { prompt: [0, 1], maxTokens: 40 });
  for (const variant of ["threshold", "greedy"] as const) {
    const decoder = speculative({ drafters: dyspec({ source, variant }) });
    const { tokens, report } = await generate(model, { prompt: [0, 1], decoder, maxTokens: 40 });
    expect(tokens).toEqual(plainly.tokens);
    expect(report.targetPasses).toBeLessThan(25);
    expect(report.drafted).toBeGreaterThan(5 * report.targetPasses);
  }
});

test("at temperature 0 the draft keeps a temperature of 0.6", async () => {
  const source = scriptedSource({ law: () => [0.7, 0.2, 0.1] });
  const shape = async (temperature: number, options: object) => {
    const drafter = dyspec({ source, ...options });
    return (await draftTrees(drafter, { vocabularySize: 3, temperature })([0], seededRandom(2))).nodes;
  };
  expect(await shape(0, {})).toEqual(await shape(0.6, {}));
  expect(await shape(0, { temperature: 2 })).toEqual(await shape(2, {}));
  expect(await shape(0, { temperature: 2 })).not.toEqual(await shape(0, {}));
});

test("a budget of 0 is plain decoding, and one of 1 drafts a token", async () => {
  const model = scriptedModel({ vocabularySize: 5, law: randomLaw({ seed: 8, vocabularySize: 5 }) });
  const source = scriptedSource({ law: randomLaw({ seed: 9, vocabularySize: 5 }) });
  for (const variant of ["threshold", "greedy"] as const) {
    for (const nodes of [0, 1]) {
      const decoder = speculative({ drafters: dyspec({ source, variant }), budget: fixedBudget({ nodes }) });
      const { report } = await generate(model, { prompt: [0, 1], decoder, maxTokens: 20 });
      expect(report.drafted).toBeLessThanOrEqual(nodes * report.targetPasses);
      if (nodes === 0) expect([report.drafted, report.targetPasses]).toEqual([0, 19]);
      else expect(report.drafted).toBeGreaterThan(5);
    }
  }
});
