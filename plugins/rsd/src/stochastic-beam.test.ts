import { denseLaw, type Random, seededRandom, type TokenId, type TokenLaw, TokenTree } from "@foretoken/core";
import type { Growth } from "@foretoken/drafting";
import { randomLaw } from "@foretoken/testing";
import { expect, test } from "vitest";
import { growStochasticBeam } from "./stochastic-beam.ts";

const shares = randomLaw({ seed: 3, vocabularySize: 3 });
const laws = new Map<string, TokenLaw>();

/** The draft's law behind a path from the root. */
function lawBehind(path: readonly TokenId[]): TokenLaw {
  const key = path.join();
  if (!laws.has(key)) laws.set(key, denseLaw(Float64Array.from(shares(path))));
  return laws.get(key)!;
}

/** A growth without a model; `passes` gets the nodes of each draft pass. */
function growthWith(random: Random, limit: number, passes: (readonly number[])[] = []): Growth {
  const tree = new TokenTree(0);
  let drawn = 0;
  return {
    name: "test",
    tree,
    limit,
    expand: async (nodes) => {
      passes.push(nodes);
      return nodes.map((node) => lawBehind(tree.path(node)));
    },
    uniform: () => random.uniform(1, "draft", drawn++),
  };
}

/** A tree as the paths of its nodes, in drawing order. */
type Paths = readonly string[];

async function drawnPaths(seed: number, width: number, depth: number): Promise<Paths> {
  const growth = growthWith(seededRandom(seed), width * depth);
  await growStochasticBeam(growth, { width, depth });
  return growth.tree.nodes.slice(1).map((_, index) => growth.tree.path(index + 1).join(""));
}

/**
 * Stochastic beam search as published: a Gumbel for every token behind every node, shifted so that the largest of a node's is
 * the node's own.
 */
function publishedPaths(seed: number, width: number, depth: number): Paths {
  const random = seededRandom(seed);
  let drawn = 0;
  const gumbel = () => -Math.log(-Math.log(random.uniform(2, "draft", drawn++)));
  const paths: string[] = [];
  let level = [{ path: [] as TokenId[], phi: 0, g: 0 }];
  for (let at = 0; at < depth; at++) {
    const candidates: typeof level = [];
    for (const { path, phi, g } of level) {
      const noisy: typeof level = [];
      lawBehind(path).forEach((token, probability) => {
        const below = phi + Math.log(probability);
        noisy.push({ path: [...path, token], phi: below, g: below + gumbel() });
      });
      const most = Math.max(...noisy.map((candidate) => candidate.g));
      for (const candidate of noisy) {
        const t = g - candidate.g + Math.log1p(-Math.exp(candidate.g - most));
        candidates.push({ ...candidate, g: g - Math.max(0, t) - Math.log1p(Math.exp(-Math.abs(t))) });
      }
      expect(Math.max(...candidates.slice(-noisy.length).map((candidate) => candidate.g))).toBeCloseTo(g, 9);
    }
    level = candidates.sort((a, b) => b.g - a.g).slice(0, width);
    paths.push(...level.map(({ path }) => path.join("")));
  }
  return paths;
}

/** `(χ² - dof) / √(2·dof)` of two samples of the same size. */
function deviation(first: readonly string[], second: readonly string[]): number {
  const counts = new Map<string, [number, number]>();
  for (const [which, sample] of [first, second].entries()) {
    for (const key of sample) {
      const count = counts.get(key) ?? [0, 0];
      count[which]!++;
      counts.set(key, count);
    }
  }
  let chiSquare = 0;
  let cells = 0;
  const rare: [number, number] = [0, 0];
  const add = ([a, b]: readonly [number, number]) => {
    chiSquare += (a - b) ** 2 / (a + b);
    cells++;
  };
  for (const count of counts.values()) {
    if (count[0] + count[1] >= 20) add(count);
    else {
      rare[0] += count[0];
      rare[1] += count[1];
    }
  }
  if (rare[0] + rare[1] > 0) add(rare);
  return (chiSquare - (cells - 1)) / Math.sqrt(2 * (cells - 1));
}

test.each([
  [2, 2],
  [3, 2],
  [1, 3],
])("the race draws the trees of stochastic beam search, W = %d, L = %d", async (width, depth) => {
  const seeds = Array.from({ length: 8_000 }, (_, seed) => seed);
  const raced: string[] = [];
  for (const seed of seeds) raced.push((await drawnPaths(seed, width, depth)).join(" "));
  const published = seeds.map((seed) => publishedPaths(seed, width, depth).join(" "));
  expect(Math.abs(deviation(raced, published))).toBeLessThan(4);
});

test("fresh noise for every level would not be stochastic beam search", () => {
  const seeds = Array.from({ length: 8_000 }, (_, seed) => seed);
  const published = seeds.map((seed) => publishedPaths(seed, 2, 2).join(" "));
  const unconditioned = seeds.map((seed) => {
    const random = seededRandom(seed);
    let drawn = 0;
    let level: TokenId[][] = [[]];
    const paths: string[] = [];
    for (let at = 0; at < 2; at++) {
      const candidates = level.flatMap((path) =>
        [0, 1, 2].map((token) => {
          const uniform = random.uniform(3, "draft", drawn++);
          const phi = [...path, token].reduce(
            (sum, next, depth, whole) => sum + lawBehind(whole.slice(0, depth)).logProbability(next),
            0,
          );
          return { path: [...path, token], g: phi - Math.log(-Math.log(uniform)) };
        }),
      );
      level = candidates
        .sort((a, b) => b.g - a.g)
        .slice(0, 2)
        .map(({ path }) => path);
      paths.push(...level.map((path) => path.join("")));
    }
    return paths.join(" ");
  });
  expect(deviation(unconditioned, published)).toBeGreaterThan(8);
});

test("no level is wider than the beam, siblings differ, and each level costs one pass", async () => {
  for (let seed = 0; seed < 200; seed++) {
    const passes: (readonly number[])[] = [];
    const growth = growthWith(seededRandom(seed), 100, passes);
    await growStochasticBeam(growth, { width: 3, depth: 4 });
    const { nodes } = growth.tree;
    expect(passes).toHaveLength(4);
    for (let depth = 1; depth <= 4; depth++) {
      expect(nodes.filter((node) => node.depth === depth)).toHaveLength(3);
    }
    for (const { trials } of nodes)
      expect(new Set(trials.map(({ token }) => token)).size).toBe(trials.length);
  }
});

test("a node limit ends the beam before anything is drawn, and costs no rows that could have no child", async () => {
  const passes: (readonly number[])[] = [];
  const growth = growthWith(seededRandom(1), 5, passes);
  await growStochasticBeam(growth, { width: 4, depth: 4 });
  expect(growth.tree.size).toBe(5);
  // Three tokens behind the root, and then room for two more nodes.
  expect(passes).toEqual([[0], [1, 2]]);
});

test("each trial's proposal is the law without the siblings before it", async () => {
  const growth = growthWith(seededRandom(2), 12);
  await growStochasticBeam(growth, { width: 3, depth: 3 });
  for (const [node, { trials }] of growth.tree.nodes.entries()) {
    let left = 1;
    const law = lawBehind(growth.tree.path(node));
    for (const { token, proposal } of trials) {
      if (proposal === "point") expect.fail("A drawn trial is no point.");
      expect(proposal.probability(token)).toBeCloseTo(law.probability(token) / left, 12);
      left -= law.probability(token);
    }
  }
});
