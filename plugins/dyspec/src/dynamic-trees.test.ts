import { denseLaw, seededRandom, type TokenId, type TokenLaw, TokenTree } from "@foretoken/core";
import type { Growth } from "@foretoken/drafting";
import { randomLaw } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { type GreedyShape, growGreedily } from "./greedy-tree.ts";
import { growByThreshold, type ThresholdShape } from "./threshold-tree.ts";

const shares = randomLaw({ seed: 14, vocabularySize: 5, holes: 0.2 });

/** A tree grown without a model, and the nodes of each draft pass. */
interface Grown {
  readonly tree: TokenTree;
  readonly passes: readonly (readonly number[])[];
}

interface GrownOptions {
  readonly limit: number;
  /** Probabilities `[V]` behind a path from the root. */
  readonly law?: (path: readonly TokenId[]) => readonly number[];
  readonly endTokens?: readonly TokenId[];
  /** Draft noise in the order it is asked for. */
  readonly uniform?: () => number;
  /** Instead: noise of its own for the draws behind each path, whatever was drawn elsewhere before. */
  readonly noiseBehind?: (path: readonly TokenId[]) => () => number;
}

async function grown(
  grow: (growth: Growth) => Promise<void>,
  { limit, law = shares, endTokens = [], uniform = noise(0), noiseBehind }: GrownOptions,
): Promise<Grown> {
  const tree = new TokenTree(0);
  const passes: (readonly number[])[] = [];
  const lawBehind = (node: number) => {
    if (node > 0 && endTokens.includes(tree.nodes[node]!.token)) return undefined;
    const path = tree.path(node);
    const behind = denseLaw(Float64Array.from(law(path)));
    return noiseBehind === undefined ? behind : drawnWith(noiseBehind(path), behind);
  };
  await grow({
    name: "test",
    tree,
    limit,
    expand: async (nodes) => {
      passes.push(nodes);
      return nodes.map(lawBehind);
    },
    uniform,
  });
  return { tree, passes };
}

const greedy = (options: GrownOptions, shape: Partial<GreedyShape> = {}) =>
  grown((growth) => growGreedily(growth, { maxDepth: 64, batch: 1, ...shape }), options);

const layered = (options: GrownOptions, shape: ThresholdShape) =>
  grown((growth) => growByThreshold(growth, shape), options);

/** The same numbers for one seed, in order. */
function noise(seed: number): () => number {
  const random = seededRandom(seed);
  let drawn = 0;
  return () => random.uniform(1, "draft", drawn++);
}

function noiseByPath(seed: number): (path: readonly TokenId[]) => () => number {
  const random = seededRandom(seed);
  return (path) => {
    const place = path.reduce((hash, token) => hash * 6 + token + 1, 1);
    let drawn = 0;
    return () => random.uniform(place, "draft", drawn++);
  };
}

/** A law, and what is left of it, drawn with other noise than it is given. */
function drawnWith(next: () => number, law: TokenLaw): TokenLaw {
  const drawn: Partial<TokenLaw> = {
    probability: (token) => law.probability(token),
    draw: () => law.draw(next()),
    without: (token) => {
      const rest = law.without(token);
      return rest === undefined ? undefined : drawnWith(next, rest);
    },
  };
  return drawn as TokenLaw;
}

/** Each node's token and parent. */
const shapeOf = ({ tree }: Grown) => tree.nodes.map(({ token, parent }) => [token, parent]);

/** Children of each node by the tokens of its path, in drawing order. */
const childrenOf = ({ tree }: Grown) =>
  Object.fromEntries(
    tree.nodes
      .map(({ trials }, node) => [tree.path(node).join(" "), trials.map(({ token }) => token)] as const)
      .filter(([, tokens]) => tokens.length > 0),
  );

/**
 * The probability with which verification would come to each slot that was filled, in the order of filling, from its closed
 * form: that of the path, times the share of the node's law that was not drawn before.
 */
function slotMasses(
  { tree }: Grown,
  law: (path: readonly TokenId[]) => readonly number[] = shares,
): number[] {
  const pathMass = [1];
  const masses: number[] = [];
  for (let node = 1; node <= tree.size; node++) {
    const { parent, token } = tree.nodes[node]!;
    const behind = law(tree.path(parent));
    const { trials } = tree.nodes[parent]!;
    const before = trials.slice(
      0,
      trials.findIndex(({ child }) => child === node),
    );
    masses.push(pathMass[parent]! * (1 - before.reduce((sum, trial) => sum + behind[trial.token]!, 0)));
    pathMass.push(pathMass[parent]! * behind[token]!);
  }
  return masses;
}

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

describe("the greedy tree", () => {
  test("fills slots in the order of the worked example", async () => {
    // Behind the root 0.6, 0.3, 0.1; a uniform of 0 draws the lowest id that is left.
    const law = () => [0.6, 0.3, 0.1];
    const found = await greedy({ limit: 4, law, uniform: () => 0 });
    // root/1st 1, node 0/1st 0.6, root/2nd 0.4, and then 0.36 behind node 0's first child.
    expect(shapeOf(found)).toEqual([
      [0, -1],
      [0, 0],
      [0, 1],
      [1, 0],
      [0, 2],
    ]);
    expect(slotMasses(found, law).map((mass) => Number(mass.toFixed(12)))).toEqual([1, 0.6, 0.4, 0.36]);
  });

  test("gives the root's slots 1, 0.4 and 0.1, and those of the children 0.6 and 0.3", async () => {
    const law = (path: readonly TokenId[]) => (path.length === 0 ? [0.6, 0.3, 0.1] : [1, 0, 0]);
    // Behind every child a single token, so that each path goes on as a chain.
    const found = await greedy({ limit: 9, law, uniform: () => 0 }, { maxDepth: 2 });
    expect(childrenOf(found)).toEqual({ "": [0, 1, 2], "0": [0], "1": [0], "2": [0] });
    expect(slotMasses(found, law).map((mass) => Number(mass.toFixed(12)))).toEqual([
      1, 0.6, 0.4, 0.3, 0.1, 0.1,
    ]);
  });

  test("fills slots that are ever less likely", async () => {
    for (const seed of SEEDS) {
      const masses = slotMasses(await greedy({ limit: 30, uniform: noise(seed) }));
      expect(masses).toHaveLength(30);
      for (let at = 1; at < masses.length; at++)
        expect(masses[at]!).toBeLessThanOrEqual(masses[at - 1]! + 1e-12);
    }
  });

  test("has as many nodes as the limit unless nothing is left to draw", async () => {
    for (const limit of [1, 2, 7, 20]) expect((await greedy({ limit })).tree.size).toBe(limit);
    // Three tokens on each of two levels: 3 + 9 nodes.
    const law = () => [0.5, 0.3, 0.2];
    expect((await greedy({ limit: 50, law }, { maxDepth: 2 })).tree.size).toBe(12);
    const siblings = (await greedy({ limit: 40 })).tree.nodes.map(({ trials }) =>
      trials.map(({ token }) => token),
    );
    for (const tokens of siblings) expect(new Set(tokens).size).toBe(tokens.length);
  });

  test("runs the draft only behind nodes that get children, one pass each", async () => {
    for (const seed of SEEDS) {
      const { tree, passes } = await greedy({ limit: 12, uniform: noise(seed) });
      const inner = tree.nodes.flatMap(({ trials }, node) => (trials.length > 0 ? [node] : []));
      expect(passes.flat().sort((a, b) => a - b)).toEqual(inner);
      expect(passes).toHaveLength(inner.length);
    }
  });

  test("in batches takes fewer passes to the same tree", async () => {
    let single = 0;
    let batched = 0;
    for (const seed of SEEDS) {
      const lazy = await greedy({ limit: 16, uniform: noise(seed) });
      for (const batch of [2, 4, 64]) {
        const found = await greedy({ limit: 16, uniform: noise(seed) }, { batch });
        expect(shapeOf(found)).toEqual(shapeOf(lazy));
        expect(new Set(found.passes.flat()).size).toBe(found.passes.flat().length);
        for (const nodes of found.passes) expect(nodes.length).toBeLessThanOrEqual(batch);
        if (batch === 4) batched += found.passes.length;
      }
      single += lazy.passes.length;
    }
    expect(batched).toBeLessThan(0.7 * single);
  });

  test("draws nothing behind end tokens", async () => {
    for (const seed of SEEDS) {
      const { tree } = await greedy({ limit: 20, endTokens: [1, 4], uniform: noise(seed) }, { batch: 3 });
      for (const { token, depth, trials } of tree.nodes) {
        if (depth > 0 && [1, 4].includes(token)) expect(trials).toEqual([]);
      }
    }
  });

  test("is a chain where the draft is certain", async () => {
    const { tree } = await greedy({ limit: 6, law: () => [0, 1, 0] });
    expect(tree.nodes.map(({ depth }) => depth)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe("the tree by layers", () => {
  test("with the least slot of a greedy tree as its threshold is that tree", async () => {
    for (const seed of SEEDS) {
      const first = await greedy({ limit: 14, noiseBehind: noiseByPath(seed) });
      const threshold = Math.min(...slotMasses(first)) * (1 - 1e-12);
      const options = { limit: 100, noiseBehind: noiseByPath(seed) };
      const second = await layered(options, { threshold, maxDepth: 64 });
      expect(childrenOf(second)).toEqual(childrenOf(first));
    }
  });

  test("fills exactly the slots that are likely enough", async () => {
    for (const seed of SEEDS) {
      const found = await layered({ limit: 1000, uniform: noise(seed) }, { threshold: 0.05, maxDepth: 50 });
      for (const mass of slotMasses(found)) expect(mass).toBeGreaterThanOrEqual(0.05);
      for (const [node, { trials }] of found.tree.nodes.entries()) {
        const behind = shares(found.tree.path(node));
        const drawn = trials.reduce((sum, { token }) => sum + behind[token]!, 0);
        const path = found.tree.path(node);
        const mass = path.reduce((product, token, at) => product * shares(path.slice(0, at))[token]!, 1);
        expect(mass * (1 - drawn)).toBeLessThan(0.05);
      }
    }
  });

  test("costs one pass a level, behind nodes that get children", async () => {
    for (const seed of SEEDS) {
      const { tree, passes } = await layered(
        { limit: 100, uniform: noise(seed) },
        { threshold: 0.1, maxDepth: 8 },
      );
      expect(passes.length).toBeLessThanOrEqual(8);
      for (const [level, nodes] of passes.entries()) {
        for (const node of nodes) {
          expect(tree.nodes[node]!.depth).toBe(level);
          expect(tree.nodes[node]!.trials.length).toBeGreaterThan(0);
        }
      }
    }
  });

  test("ends at the node limit and at the depth limit", async () => {
    for (const limit of [1, 2, 5]) {
      expect((await layered({ limit }, { threshold: 0.001, maxDepth: 8 })).tree.size).toBe(limit);
    }
    const { tree } = await layered({ limit: 500 }, { threshold: 0.001, maxDepth: 2 });
    expect(Math.max(...tree.nodes.map(({ depth }) => depth))).toBe(2);
  });
});
