import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bestProbeTrees, type ProbeTree, probeTrees } from "./probe-trees.ts";

/** Of the note's worked example: three steps, three ranks. */
const SMALL = [
  [0.48, 0.14, 0.07],
  [0.26, 0.15, 0.08],
  [0.16, 0.12, 0.08],
];

const shown = (tree: ProbeTree) =>
  tree.slice(1).map(({ parent, rank, chance, probes }) => [parent, rank, +chance.toFixed(4), probes]);
const rowsOf = (tree: ProbeTree) => tree.slice(1).reduce((sum, { probes }) => sum + 1 + probes, 0);

describe("the worked example", () => {
  test("keeps the likeliest nodes, and drops the probes that are missed least", () => {
    const all = probeTrees(SMALL, [3, 4, 4], { rows: 16, least: 1 });
    expect(shown(all.states[2]!)).toEqual([
      [0, 0, 0.48, 3],
      [0, 1, 0.14, 3],
      [1, 0, 0.1248, 3],
      [1, 1, 0.072, 3],
    ]);
    // A third probe promises nothing where the deepest tree is the same: those of all nodes go first.
    expect(
      shown(probeTrees(SMALL, [3, 4, 4], { rows: 12, least: 1 }).states[2]!).map((place) => place[3]),
    ).toEqual([2, 2, 2, 2]);
    // Then that of the node of loss 0.072 · 0.1268, and that of 0.1248 · 0.1268.
    expect(
      shown(probeTrees(SMALL, [3, 4, 4], { rows: 11, least: 1 }).states[2]!).map((place) => place[3]),
    ).toEqual([2, 2, 2, 1]);
    expect(
      shown(probeTrees(SMALL, [3, 4, 4], { rows: 10, least: 1 }).states[2]!).map((place) => place[3]),
    ).toEqual([2, 2, 1, 1]);
  });

  test("expects as many tokens as its Markov chain gives", () => {
    const { states, shares, tokens } = probeTrees(SMALL, [3, 4, 4], { rows: 10, least: 1 });
    expect(states[1]!.slice(1).map(({ chance }) => chance)).toEqual([0.48, 0.14, 0.07]);
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 12);
    expect(tokens).toBeCloseTo(1 + shares[1]! * 0.69 + (shares[2]! + shares[3]!) * 0.8168, 12);
    expect(shares[0]).toBeCloseTo(0, 12);
    // What one round leads to: the chance that a place is the last accepted goes to the state of its probes.
    const next = [0, 0, 0, 0];
    for (const [state, tree] of states.entries()) {
      for (const [index, { chance, probes }] of tree.entries()) {
        const behind = tree.filter(({ parent }) => parent === index);
        const last = behind.reduce((rest, child) => rest - child.chance, chance);
        next[probes]! += shares[state]! * last;
      }
    }
    for (const [state, share] of shares.entries()) expect(next[state]).toBeCloseTo(share, 12);
  });
});

test("a node without probes leads to a round without guesses", () => {
  const { states, shares } = probeTrees(SMALL, [3, 4, 4], { rows: 4 });
  expect(states[2]!.slice(1).map(({ probes }) => probes)).toEqual([0, 0, 0, 0]);
  expect(states[0]).toEqual([{ parent: -1, rank: 0, depth: 0, chance: 1, probes: 3 }]);
  // A round of state 3 accepts something with 0.62, and the round behind it has no guesses.
  expect(shares[0]! / shares[3]!).toBeCloseTo(0.62, 9);
});

test("copies of a probe cost rows each", () => {
  const { states } = probeTrees(SMALL, [1, 1, 1], { rows: 5, copies: 2, least: 1 });
  expect(states[3]![1]!.probes).toBe(2);
});

test("the best counts do no worse than any others, and more rows do no harm", () => {
  let before = 0;
  for (const rows of [1, 2, 3, 4, 6, 8]) {
    const best = bestProbeTrees(SMALL, { rows });
    for (let one = 1; one <= rows; one++) {
      for (let two = 1; two <= rows; two++) {
        const other = probeTrees(SMALL, [one, two, two], { rows });
        expect(best.tokens).toBeGreaterThanOrEqual(other.tokens - 2e-2);
      }
    }
    expect(best.tokens).toBeGreaterThanOrEqual(before - 1e-9);
    before = best.tokens;
    for (const tree of best.states) expect(rowsOf(tree)).toBeLessThanOrEqual(rows);
  }
});

test("are trees with parents first, likeliest first, within the rows", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const accuracy = fc
    .array(share, { minLength: 1, maxLength: 4 })
    // A probe is right with one rank at most.
    .map((shares) => shares.map((value) => value / shares.length));
  fc.assert(
    fc.property(
      fc.array(accuracy, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 12 }),
      (table, rows) => {
        const { states, shares, tokens } = probeTrees(
          table,
          table.map(() => Math.ceil(rows / 2)),
          { rows },
        );
        expect(states).toHaveLength(table.length + 1);
        expect(shares.reduce((sum, value) => sum + value)).toBeCloseTo(1, 9);
        expect(tokens).toBeGreaterThanOrEqual(1);
        for (const [state, tree] of states.entries()) {
          expect(rowsOf(tree)).toBeLessThanOrEqual(rows);
          for (const [index, place] of tree.entries()) {
            if (index === 0) continue;
            const above = tree[place.parent]!;
            expect(place.parent).toBeLessThan(index);
            expect(place.depth).toBe(above.depth + 1);
            expect(place.depth).toBeLessThanOrEqual(state);
            if (index > 1) expect(place.chance).toBeLessThanOrEqual(tree[index - 1]!.chance);
          }
        }
      },
    ),
  );
});

test.each([[[]], [[[1.2]]], [[[Number.NaN]]]])("%j is no accuracy", (accuracy) => {
  expect(() => probeTrees(accuracy, [1], { rows: 4 })).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION" }),
  );
});
