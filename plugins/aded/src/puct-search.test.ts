import type { TokenId } from "@foretoken/core";
import type { SuccessorRow } from "@foretoken/drafting";
import { randomLaw } from "@foretoken/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type PuctOptions, PuctSearch } from "./puct-search.ts";

const V = 6;
const rowOf = (entries: readonly (readonly [TokenId, number])[]): SuccessorRow => ({
  ids: Int32Array.from(entries, ([id]) => id),
  weights: Float32Array.from(entries, ([, weight]) => weight),
  total: 1,
});

/** Rows with up to V successors behind every pair, heaviest first; some pairs have none. */
function rows(seed: number) {
  const law = randomLaw({ seed, vocabularySize: V, order: 2, holes: 0.3 });
  return (before: TokenId | undefined, token: TokenId): SuccessorRow | undefined => {
    const entries = law([before ?? 0, token])
      .map((share, id) => [id, share] as const)
      .filter(([, share]) => share > 0.05)
      .sort(([, a], [, b]) => b - a);
    return entries.length === 0 || (seed + token) % 5 === 0 ? undefined : rowOf(entries);
  };
}

function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function search(options: Partial<PuctOptions> = {}) {
  return new PuctSearch({
    states: 4,
    iterations: 150,
    exploration: 32,
    successors: 12,
    backup: "corrected",
    endTokens: new Set(),
    ...options,
  });
}
const nodesOf = (found: PuctSearch) =>
  Array.from({ length: found.size }, (_, node) => ({ index: node, ...found.node(node) }));

test("every line visits the root, and a node as often as its children and the lines that end there", () => {
  fc.assert(
    fc.property(
      fc.nat(200),
      fc.integer({ min: 1, max: 200 }),
      fc.constantFrom("corrected", "published"),
      (seed, iterations, backup) => {
        const found = search({ iterations, backup: backup as "corrected" });
        found.run(1, 2, rows(seed), uniforms(seed));
        const nodes = nodesOf(found);
        expect(nodes[0]!.visits).toBe(iterations);
        for (const { index, parent, visits } of nodes) {
          const children = nodes.filter((child) => child.parent === index);
          const through = children.reduce((sum, child) => sum + child.visits, 0);
          // Of new children the line goes on to the first, and ends there; every other node is left by a line as soon as it has children.
          const isFirst = index > 0 && nodes[index - 1]!.parent !== parent;
          if (children.length > 0) expect(visits - through).toBe(isFirst ? 1 : 0);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("no child is visited twice before all its siblings were, and lines keep to their length", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 2, max: 5 }), (seed, states) => {
      const found = search({ states });
      found.run(1, 2, rows(seed), uniforms(seed));
      const nodes = nodesOf(found);
      const depthOf = (node: number): number => (node === 0 ? 0 : 1 + depthOf(nodes[node]!.parent));
      for (const { index } of nodes) {
        const visits = nodes.filter(({ parent }) => parent === index).map((child) => child.visits);
        if (visits.includes(0)) expect(Math.max(...visits)).toBeLessThanOrEqual(1);
        expect(depthOf(index)).toBeLessThanOrEqual(states - 1);
      }
    }),
    { numRuns: 40 },
  );
});

test("siblings with one prior and one worth are visited alike", () => {
  const even = rowOf([0, 1, 2, 3].map((id) => [id, 0.25]));
  for (const iterations of [5, 37, 150]) {
    const found = search({ iterations });
    found.run(0, 0, () => even, uniforms(3));
    const visits = nodesOf(found)
      .filter(({ parent }) => parent === 0)
      .map((node) => node.visits);
    expect(Math.max(...visits) - Math.min(...visits)).toBeLessThanOrEqual(1);
  }
});

test("the corrected back-up adds up the weights of the tokens reached, the published one those of the tokens left", () => {
  // Behind 0, token 1 is likelier but leads nowhere; token 2 goes on heavily. Only a search that knows it prefers 2.
  const table = (_: unknown, token: TokenId) =>
    token === 0
      ? rowOf([
          [1, 0.5],
          [2, 0.4],
        ])
      : token === 2
        ? rowOf([[3, 3]])
        : token === 3
          ? rowOf([[2, 3]])
          : undefined;
  const favourite = (backup: PuctOptions["backup"]) => {
    const found = search({ backup, exploration: 1 });
    found.run(5, 0, table, uniforms(1));
    return found.node(found.byVisits()[0]!).token;
  };
  expect(favourite("corrected")).toBe(2);
  expect(favourite("published")).toBe(1);
});

test("nothing follows an end token, and an unknown root leaves nothing", () => {
  const found = search({ endTokens: new Set([3]) });
  found.run(0, 1, (_, token) => rowOf([[(token + 1) % V, 1]]), uniforms(1));
  expect(nodesOf(found).map(({ token }) => token)).toEqual([1, 2, 3]);
  found.run(0, 1, () => undefined, uniforms(1));
  expect(found.byVisits()).toEqual([]);
});

test("a search looks up no more rows than its lines have states", () => {
  let asked = 0;
  const table = rows(7);
  const found = search();
  found.run(
    1,
    2,
    (before, token) => {
      asked++;
      return table(before, token);
    },
    uniforms(2),
  );
  expect(asked).toBeLessThanOrEqual(150 * 4);
});
