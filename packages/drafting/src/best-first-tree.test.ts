import fc from "fast-check";
import { expect, test } from "vitest";
import { type BestFirstOptions, bestFirstTree } from "./best-first-tree.ts";
import type { SuccessorRow } from "./successor-table.ts";

const row = (entries: Readonly<Record<number, number>>): SuccessorRow => {
  const sorted = Object.entries(entries).sort(([, a], [, b]) => b - a);
  return {
    ids: Int32Array.from(sorted, ([id]) => Number(id)),
    weights: Float32Array.from(sorted, ([, weight]) => weight),
    total: 1,
  };
};

const ROWS: Readonly<Record<number, SuccessorRow>> = {
  0: row({ 1: 0.5, 2: 0.375 }),
  1: row({ 3: 0.75, 4: 0.25 }),
  2: row({ 3: 0.5 }),
  3: row({ 0: 1 }),
};

const grow = (options: Partial<BestFirstOptions> = {}) =>
  bestFirstTree(undefined, 0, {
    source: "table",
    limit: 99,
    depth: 2,
    endTokens: new Set(),
    successors: (_, token) => ROWS[token],
    ...options,
  });
const paths = (tree: ReturnType<typeof grow>) => tree.nodes.slice(1).map((_, node) => tree.path(node + 1));

test("the likeliest paths come first, with their chances", () => {
  const tree = grow();
  expect(paths(tree)).toEqual([[1], [2], [1, 3], [2, 3], [1, 4]]);
  expect(tree.nodes.slice(1).map(({ chance }) => chance)).toEqual([0.5, 0.375, 0.375, 0.1875, 0.125]);
});

test("every limit gives the beginning of the whole tree", () => {
  const whole = paths(grow({ depth: 5 }));
  for (let limit = 1; limit <= whole.length; limit++) {
    expect(paths(grow({ depth: 5, limit }))).toEqual(whole.slice(0, limit));
  }
});

test("keeps to depth and widths, and nothing follows an end", () => {
  expect(paths(grow({ depth: 1 }))).toEqual([[1], [2]]);
  expect(paths(grow({ widths: [1, 2] }))).toEqual([[1], [1, 3], [1, 4]]);
  expect(paths(grow({ endTokens: new Set([0, 1]) }))).toEqual([[1], [2], [2, 3]]);
});

test("a successor is asked for with the token before it", () => {
  const asked: unknown[] = [];
  bestFirstTree(9, 0, {
    source: "table",
    limit: 2,
    depth: 2,
    endTokens: new Set(),
    successors: (before, token) => {
      asked.push([before, token]);
      return ROWS[token];
    },
  });
  expect(asked).toEqual([
    [9, 0],
    [0, 1],
    [0, 2],
  ]);
});

test("no node that is left out is likelier than one that is drafted", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(weights, { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 1, max: 20 }),
      (tables, limit) => {
        const rows = tables.map((list) =>
          row(Object.fromEntries(list.map((weight, id) => [(id * 2 + 1) % 5, weight / 101]))),
        );
        const options = { depth: 3, successors: (_: unknown, token: number) => rows[token % 5] };
        const chances = (tree: ReturnType<typeof grow>) => tree.nodes.slice(1).map(({ chance }) => chance!);
        const whole = chances(grow({ ...options, limit: 1000 })).sort((a, b) => b - a);
        expect(chances(grow({ ...options, limit }))).toEqual(whole.slice(0, limit));
      },
    ),
  );
});
