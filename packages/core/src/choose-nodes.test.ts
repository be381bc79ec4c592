import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseNodes } from "./choose-nodes.ts";
import { mergeTrees } from "./merge.ts";
import { TokenTree } from "./token-tree.ts";

const chain = (...tokens: number[]) => TokenTree.chain(0, tokens, "chain");
const FIXED = 0.3;

/** @param chances - By tree and node. */
function choose(
  trees: readonly (TokenTree | undefined)[],
  chances: readonly (readonly number[])[],
  price: (nodes: number) => number = (nodes) => FIXED * nodes,
  isWhole: readonly boolean[] = trees.map(() => false),
): number[] {
  return chooseNodes({ trees, isWhole, price, chanceOf: (tree, node) => chances[tree]![node - 1]! });
}

describe("nodes are kept while they are worth their rows", () => {
  test("a chain is cut where its chance falls below the price", () => {
    expect(choose([chain(1, 2, 3, 4)], [[0.9, 0.6, 0.31, 0.29]])).toEqual([3]);
    expect(choose([chain(1, 2)], [[0.29, 0.2]])).toEqual([0]);
    expect(choose([undefined, chain()], [[], []])).toEqual([0, 0]);
  });

  test("on a staircase a node that does not pay brings others that do", () => {
    const steps = (nodes: number) => (nodes === 0 ? 0 : nodes <= 3 ? 0.8 : 5);
    expect(choose([chain(1, 2, 3, 4)], [[0.5, 0.4, 0.3, 0.3]], steps)).toEqual([3]);
    expect(choose([chain(1, 2, 3)], [[0.4, 0.2, 0.1]], steps)).toEqual([0]);
  });

  test("of several trees the likeliest nodes", () => {
    const three = (nodes: number) => (nodes <= 3 ? 0 : 9);
    const chances = [
      [0.6, 0.5, 0.1],
      [0.3, 0.1],
    ];
    expect(choose([chain(1, 2, 3), chain(5, 6)], chances, three)).toEqual([2, 1]);
  });

  test("trees that were drawn stay whole, and count", () => {
    const price = (nodes: number) => (nodes <= 2 ? 0.1 * nodes : nodes);
    expect(choose([chain(1, 2), chain(5)], [[0.1, 0.1], [0.5]], price, [true, false])).toEqual([2, 0]);
    expect(choose([chain(1), chain(5)], [[0.1], [0.5]], price, [true, false])).toEqual([1, 1]);
  });
});

test("a node that another tree has too costs nothing, and gives nothing twice", () => {
  expect(
    choose(
      [chain(1, 2), chain(1, 7)],
      [
        [0.9, 0.2],
        [0.2, 0.35],
      ],
    ),
  ).toEqual([1, 2]);
  expect(choose([chain(1), chain(1)], [[0.2], [0.2]], (nodes) => 0.25 * nodes)).toEqual([0, 0]);
});

test("two trees that disagree about the next token cannot both be right", () => {
  expect(choose([chain(1), chain(2)], [[0.8], [0.4]])).toEqual([1, 0]);
  expect(choose([chain(1), chain(2)], [[0.2], [0.4]])).toEqual([0, 1]);
});

test("what is kept merges to as many rows as were paid for, whatever the trees", () => {
  const trees = fc.array(fc.array(fc.tuple(fc.nat(6), fc.nat(2)), { maxLength: 8 }), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(
      trees,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 30, maxLength: 30 }),
      (shapes, chances) => {
        const made = shapes.map((shape) => {
          const tree = new TokenTree(0);
          for (const [parent, token] of shape) tree.add(parent % (tree.size + 1), token, "point", "tree");
          return tree;
        });
        const asked: number[] = [];
        const kept = chooseNodes({
          trees: made,
          isWhole: made.map(() => true),
          chanceOf: (tree, node) => chances[(tree * 9 + node) % chances.length]!,
          price: (nodes) => {
            asked.push(nodes);
            return nodes;
          },
        });
        expect(kept).toEqual(made.map(({ size }) => size));
        expect(asked[0]).toBe(mergeTrees(made).size);
      },
    ),
  );
});
