import { denseLaw, generate, seededRandom, speculative, type TokenLaw } from "@foretoken/core";
import { randomDrafter, randomLaw, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { scriptedJudge } from "./__fixtures__/scripted-judge.ts";
import { visitedNode } from "./__fixtures__/visited-node.ts";
import { divergence, divergenceScore } from "./divergence-score.ts";
import { judge } from "./judge.ts";
import { judgeScore } from "./judge-head.ts";
import { randomScore } from "./random-score.ts";
import type { Verdict } from "./verdict.ts";

const lawOf = (...shares: number[]): TokenLaw => denseLaw(Float64Array.from(shares));

test("a head's score is the sigmoid of its linear form", () => {
  const head = scriptedJudge([2, -1], 0.5, 3);
  expect(judgeScore(head, Float32Array.of(1, 3, 100))).toBeCloseTo(1 / (1 + Math.exp(0.5)), 12);
  expect(judgeScore(head, Float32Array.of(1000, 0, 0))).toBe(1);
  expect(judgeScore(head, Float32Array.of(-1000, 0, 0))).toBe(0);
  expect(judgeScore(head, Float32Array.of(Number.NaN, 0, 0))).toBeNaN();
});

test("divergence is that of the draft's law from the target's, in nats", () => {
  const draft = lawOf(0.5, 0.25, 0.25);
  expect(divergence(draft, draft)).toBe(0);
  expect(divergence(draft, lawOf(0.25, 0.5, 0.25))).toBeCloseTo(0.25 * Math.log(2), 12);
  expect(divergence(lawOf(0, 1, 0), draft)).toBeCloseTo(Math.log(4), 12);
  expect(divergence(draft, lawOf(0.5, 0.5, 0))).toBe(Number.POSITIVE_INFINITY);
});

test("a chosen draft scores the target's probability of it, at temperature 0 too", async () => {
  const node = visitedNode({ law: [0.1, 0.3, 0.6], drafts: [1, 0] });
  const scores = await Promise.all(node.trials.map((trial) => divergenceScore(node, trial)));
  expect(scores).toEqual([0.3, 0.1].map((share) => expect.closeTo(share, 12)));
});

test("siblings drawn from one law have one score: that of the law before any was taken out", async () => {
  const draft = lawOf(0.5, 0.25, 0.25);
  const target = [0.25, 0.5, 0.25];
  const drafts = [
    { token: 0, proposal: draft },
    { token: 2, proposal: draft.without(0)! },
  ];
  const node = visitedNode({ law: target, drafts });
  for (const trial of node.trials) {
    expect(await divergenceScore(node, trial)).toBeCloseTo(2 ** -0.25, 12);
  }
});

test("a target that is sure is not overruled", async () => {
  const node = visitedNode({ law: [0.08, 0.92], drafts: [0] });
  expect(await divergenceScore(node, node.trials[0])).toBe(0);
  const unsure = visitedNode({ law: [0.12, 0.88], drafts: [0] });
  expect(await divergenceScore(unsure, unsure.trials[0])).toBeCloseTo(0.12, 12);
});

test("the random judge keeps 1 − threshold of what it is asked about, and the same with one seed", async () => {
  const kept = async (threshold: number) => {
    let count = 0;
    for (let seed = 0; seed < 4_000; seed++) {
      const node = visitedNode({ law: [0.2, 0.8], drafts: [0], random: seededRandom(seed) });
      const score = await randomScore(node, node.trials[0]);
      expect(await randomScore(node, node.trials[0])).toBe(score);
      if (score > threshold) count++;
    }
    return count / 4_000;
  };
  // Four standard deviations of a share.
  for (const threshold of [0.2, 0.7])
    expect(Math.abs((await kept(threshold)) - (1 - threshold))).toBeLessThan(0.032);
});

test("verdicts of one judge give the threshold at which the random one keeps as much", async () => {
  const law = randomLaw({ seed: 12, vocabularySize: 8 });
  const run = async (options: Parameters<typeof judge>[0]) => {
    const model = scriptedModel({ vocabularySize: 8, law });
    const verdicts: Verdict[] = [];
    const verifier = judge({ consecutive: 64, onVerdict: (verdict) => verdicts.push(verdict), ...options });
    const decoder = speculative({ drafters: randomDrafter({ seed: 5, vocabularySize: 8 }), verifier });
    for (let seed = 0; seed < 30; seed++) {
      await generate(model, { prompt: [seed % 8], decoder, maxTokens: 40, temperature: 1, seed });
    }
    const judged = verdicts.flatMap((verdict) => verdict.judged);
    return {
      kept: judged.filter(({ score }) => score > 0.5).length / judged.length,
      overrides: verdicts.filter(({ by }) => by === "judge").length / verdicts.length,
    };
  };
  const trained = await run({ head: scriptedJudge([1], -3.5), threshold: 0.5 });
  const random = await run({ control: "random", threshold: 1 - trained.kept });
  expect(trained.kept).toBeGreaterThan(0.2);
  expect(Math.abs(random.overrides - trained.overrides)).toBeLessThan(0.12);
});
