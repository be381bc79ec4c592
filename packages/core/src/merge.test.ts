import { expect, test } from "vitest";
import { mergeTrees } from "./merge.ts";
import type { TokenLaw } from "./token-law.ts";
import { TokenTree } from "./token-tree.ts";

const law = {} as TokenLaw;

test("keeps a single tree as it is", () => {
  const tree = TokenTree.chain(0, [1, 2], "a");
  expect(mergeTrees([tree])).toBe(tree);
});

test("puts sampled trials before chosen ones and keeps their order", () => {
  const chosen = TokenTree.chain(0, [7], "lookup");
  const sampled = new TokenTree(0);
  sampled.add(0, 5, law, "draft");
  sampled.add(0, 3, law, "draft");
  const { trials } = mergeTrees([chosen, sampled]).nodes[0]!;
  expect(trials.map(({ token, source }) => [token, source])).toEqual([
    [5, "draft"],
    [3, "draft"],
    [7, "lookup"],
  ]);
});

test("drops a chosen duplicate of a sampled trial and credits its source", () => {
  const chosen = TokenTree.chain(0, [5, 6], "lookup");
  const sampled = new TokenTree(0);
  sampled.add(0, 5, law, "draft");
  const merged = mergeTrees([chosen, sampled]);
  expect(merged.nodes[0]!.trials).toHaveLength(1);
  expect(merged.nodes[1]!.sources).toEqual(["draft", "lookup"]);
  expect(merged.path(merged.size)).toEqual([5, 6]);
});

test("keeps every sampled trial, also two with one token", () => {
  const first = new TokenTree(0);
  first.add(0, 5, law, "a");
  const second = new TokenTree(0);
  second.add(0, 5, law, "b");
  const merged = mergeTrees([first, second]);
  expect(merged.nodes[0]!.trials).toHaveLength(2);
  expect(merged.size).toBe(1);
});

test("shares rows of common prefixes and keeps parents before children", () => {
  const merged = mergeTrees([TokenTree.chain(0, [1, 2, 3], "a"), TokenTree.chain(0, [1, 4], "b")]);
  expect(merged.nodes.map((node) => node.token)).toEqual([0, 1, 2, 4, 3]);
  for (const [index, node] of merged.nodes.entries()) expect(node.parent).toBeLessThan(index);
});
