import {
  type Drafting,
  lawStateFor,
  type Pass,
  type Session,
  seededRandom,
  type TokenTree,
} from "@foretoken/core";
import { scriptedModel } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { probeDrafter } from "./probe-drafter.ts";
import { probeTrees } from "./probe-trees.ts";
import { statePlan } from "./state-plan.ts";

const STEPS = 3;
const END = 7;
const TREES = probeTrees(
  [
    [0.5, 0.3],
    [0.4, 0.2],
    [0.3, 0.1],
  ],
  [3, 4, 4],
  { rows: 9 },
);
const MODEL = scriptedModel({ next: () => 0, vocabularySize: 8, width: 4 });

function makeDrafter(copies = 1) {
  return probeDrafter({
    name: "probes",
    ranks: 2,
    shape: () => ({ steps: STEPS, copies }),
    probe: (step, copy) => ({ embedding: Float32Array.of(step, copy, 0, 0) }),
    plan: () =>
      statePlan({ source: "probes", trees: TREES, copies, foreignProbes: 1, endTokens: new Set([END]) }),
  });
}

/** What a row of a pass guesses: its number and the one behind it, as tokens. */
const guesses = (row: number) => [row % 6, (row + 1) % 6];

/** A pass whose rows guess as {@link guesses} says; logits are the same in numbers, larger for the first. */
const PASS = {
  topK: async (row: number) => ({
    ids: Int32Array.from(guesses(row)),
    logProbabilities: Float64Array.of(-1, -2),
  }),
  logits: async (row: number) => {
    const logits = new Float32Array(8);
    const [first, second] = guesses(row);
    logits[first!] += 2;
    logits[second!] += 1;
    return logits;
  },
} as unknown as Pass;

const context = {
  random: seededRandom(1),
  law: lawStateFor({}, { vocabularySize: 8, promptTokens: [] }),
};

/** Plays rounds on a text that only grows; `accept` says how many levels of a tree become text. */
class Play {
  readonly session = { tokens: [] as number[] };
  readonly drafting: Drafting;

  constructor(copies?: number) {
    this.drafting = makeDrafter(copies).start({
      model: MODEL,
      session: this.session as unknown as Session,
      missingPrefix: 0,
    });
  }

  async round(accept: number): Promise<{ tree: TokenTree; underLast: number }> {
    const tree = await this.drafting.propose(1, 64, context);
    const probes = this.drafting.probes!(tree, 64);
    const path = [0];
    while (path.length <= accept) {
      const child = tree.nodes.findIndex(({ parent }) => parent === path.at(-1));
      if (child < 0) break;
      path.push(child);
    }
    const first = tree.nodes.length;
    let node = 0;
    const nodes = probes.map((probe) => {
      node = probe.node ?? node;
      return node;
    });
    await this.drafting.observe({
      kind: "verify",
      pass: PASS,
      position: this.session.tokens.length,
      rowTokens: tree.nodes.map(({ token }) => token),
      parents: tree.nodes.map(({ parent }) => parent),
      committed: path,
      next: 1,
      probes: probes.map((_, index) => first + index),
    });
    this.session.tokens.push(...path.map((at) => tree.nodes[at]!.token));
    return { tree, underLast: nodes.filter((at) => at === path.at(-1)).length };
  }
}

const depthOf = (tree: TokenTree) => Math.max(...tree.nodes.map(({ depth }) => depth));

test("a round has guesses for as many steps as probes hung under the last node accepted", async () => {
  const play = new Play();
  let before = 0;
  const met = new Set<number>();
  for (const accept of [0, 0, 1, 1, 2, 0, 3, 1, 2, 2, 0]) {
    const { tree, underLast } = await play.round(accept);
    met.add(before);
    // With so many guesses it is on the tree of that state, as deep as that goes.
    const state = TREES.states[before]!;
    expect(tree.size).toBe(state.length - 1);
    expect(depthOf(tree)).toBe(Math.max(...state.map(({ depth }) => depth)));
    before = underLast;
  }
  expect(met.size).toBeGreaterThan(2);
});

test("guesses of a depth are those of the probe of that step", async () => {
  const play = new Play();
  const { tree } = await play.round(0);
  expect(tree.size).toBe(0);
  // Root in row 0, its probes in rows 1 to 3.
  const next = await play.drafting.propose(1, 64, context);
  const byDepth = (depth: number) =>
    new Set(next.nodes.filter((node) => node.depth === depth).map((n) => n.token));
  for (const depth of [1, 2]) {
    expect(byDepth(depth).size).toBeGreaterThan(0);
    expect(guesses(depth)).toEqual(expect.arrayContaining([...byDepth(depth)]));
  }
});

test("copies hang apart, and their logits are averaged", async () => {
  const play = new Play(2);
  const tree = await play.drafting.propose(1, 64, context);
  const probes = play.drafting.probes!(tree, 64);
  expect(probes.map(({ node }) => node)).toEqual([0, undefined, undefined, 0, undefined, undefined]);
  expect(probes.map(({ row }) => [...row.embedding!.slice(0, 2)])).toEqual([
    [1, 0],
    [2, 0],
    [3, 0],
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  await play.round(0);
  // Step 1 stands in rows 1 and 4: 1 and 2 of one, 4 and 5 of the other, so that both first ones are equally good.
  const next = await play.drafting.propose(1, 64, context);
  expect(next.nodes.filter(({ depth }) => depth === 1).map(({ token }) => token)).toEqual([1, 4]);
});

describe("guesses are forgotten", () => {
  test("where the text was cut, or went on without the drafter", async () => {
    const play = new Play();
    await play.round(0);
    await play.round(1);
    const fork = play.drafting.fork(play.session as unknown as Session);
    expect((await fork.propose(1, 64, context)).size).toBeGreaterThan(0);
    play.drafting.truncate(play.session.tokens.length - 1);
    expect((await play.drafting.propose(1, 64, context)).size).toBe(0);
    expect((await fork.propose(1, 64, context)).size).toBeGreaterThan(0);
    play.session.tokens.push(5);
    expect((await fork.propose(1, 64, context)).size).toBe(0);
  });
});

test("fewer rows than it asks for cut the last chains", async () => {
  const play = new Play();
  const tree = await play.drafting.propose(1, 64, context);
  expect(play.drafting.probes!(tree, 2)).toHaveLength(2);
});

test("probes are priced as rows behind the nodes", () => {
  const drafter = makeDrafter();
  const { ms } = MODEL.cost;
  expect(drafter.cost!(MODEL, 0)).toBeCloseTo((ms(1 + STEPS, 256) - ms(1, 256)) / ms(1, 256), 12);
  expect(drafter.cost!(MODEL, 2)).toBeGreaterThan(drafter.cost!(MODEL, 1));
});
