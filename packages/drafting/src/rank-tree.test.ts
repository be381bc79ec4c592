import fc from "fast-check";
import { expect, test } from "vitest";
import { rankTree } from "./rank-tree.ts";

const share = fc.double({ min: 0.01, max: 1, noNaN: true });
const accuracies = fc.array(fc.array(share, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

/** Chances of all paths, by listing them. */
function allChances(accuracy: readonly (readonly number[])[], above = 1): number[] {
  const [ranks, ...deeper] = accuracy;
  if (ranks === undefined) return [];
  return ranks.flatMap((chance) => [above * chance, ...allChances(deeper, above * chance)]);
}

test("is the likeliest tree of every size, and each beginning of it too", () => {
  fc.assert(
    fc.property(accuracies, fc.nat({ max: 12 }), (accuracy, nodes) => {
      const [root, ...places] = rankTree(
        // The better guess stands first, as ranks do.
        accuracy.map((ranks) => ranks.toSorted((a, b) => b - a)),
        nodes,
      );
      expect(root).toMatchObject({ parent: -1, depth: 0, chance: 1 });
      const best = allChances(accuracy).sort((a, b) => b - a);
      expect(places.map(({ chance }) => chance)).toEqual(
        best.slice(0, nodes).map((chance) => expect.closeTo(chance, 12)),
      );
      for (const [index, { parent, depth }] of places.entries()) {
        expect(parent).toBeLessThan(index + 1);
        expect(depth).toBe([root, ...places][parent].depth + 1);
      }
    }),
  );
});

test("leaves out guesses that were never right", () => {
  expect(rankTree([[0.5, 0], [0.2]], 9)).toHaveLength(3);
  expect(rankTree([], 9)).toHaveLength(1);
});
