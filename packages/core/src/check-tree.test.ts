import { expect, test } from "vitest";
import { checkTree } from "./check-tree.ts";
import type { TokenLaw } from "./token-law.ts";
import { TokenTree } from "./token-tree.ts";

const limits = { root: 0, limit: 3, vocabularySize: 8 };
const check = (tree: TokenTree) => () => checkTree(tree, "mine", limits);
const fault = (message: RegExp) =>
  expect.objectContaining({ code: "INVALID_DRAFT", message: expect.stringMatching(message) });
const lawGiving = (probability: number) => ({ probability: () => probability }) as unknown as TokenLaw;

test("lets a sound tree pass", () => {
  expect(check(TokenTree.chain(0, [1, 2, 3], "mine"))).not.toThrow();
});

test("names the drafter and the fault", () => {
  expect(check(TokenTree.chain(0, [1, 2, 3, 4], "mine"))).toThrow(
    fault(/mine proposed 4 nodes where the limit is 3/),
  );
  expect(check(TokenTree.chain(1, [2], "mine"))).toThrow(fault(/root 1 where the root is 0/));
  expect(check(TokenTree.chain(0, [8], "mine"))).toThrow(fault(/token 8, outside the vocabulary of 8/));
  expect(check(TokenTree.chain(0, [-1], "mine"))).toThrow(fault(/token -1/));
  expect(check(undefined as never)).toThrow(fault(/no tree/));
});

test("refuses a cycle", () => {
  const nodes = [
    { token: 0, parent: -1, depth: 0, trials: [], sources: [] },
    { token: 1, parent: 2, depth: 1, trials: [], sources: [] },
    { token: 2, parent: 1, depth: 2, trials: [], sources: [] },
  ];
  expect(check({ nodes, size: 2 } as unknown as TokenTree)).toThrow(fault(/node 1 with parent 2/));
});

test.each([Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY])("refuses a chance of %d", (chance) => {
  expect(check(TokenTree.chain(0, [1, 2], "mine", [0.5, chance]))).toThrow(fault(/node 2 with the chance/));
});

test("refuses a token its proposal cannot give, and NaN", () => {
  for (const probability of [0, Number.NaN, -1, 2]) {
    const tree = new TokenTree(0);
    tree.add(0, 1, lawGiving(probability), "mine");
    expect(check(tree)).toThrow(fault(/drawn from a law that gives it probability/));
  }
});
