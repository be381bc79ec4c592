import { expect, test } from "vitest";
import {
  childrenOf,
  describeNode,
  draftNodes,
  visibleText,
} from "../../examples/playground/src/tree/draft-tree.ts";
import { layOutTree } from "../../examples/playground/src/tree/tree-layout.ts";

/*
 *  0 the ─┬─ 1 dog ─── 3 ran      accepted: cat, sat; the target's own: on
 *         └─ 2 cat ─── 4 sat
 */
const tree = [
  { parent: -1, text: "the", sources: [] },
  { parent: 0, text: " dog", sources: ["a"] },
  { parent: 0, text: " cat", sources: ["a", "b"] },
  { parent: 1, text: " ran", sources: ["a"] },
  { parent: 2, text: " sat", sources: ["b"] },
];
const nodes = draftNodes({ tree, path: [2, 4], pieces: [" cat", " sat", " on"] });

test("says of each node what became of it, the target's own token last", () => {
  expect(nodes.map(({ text, fate, depth }) => [text, fate, depth])).toEqual([
    ["the", "root", 0],
    [" dog", "rejected", 1],
    [" cat", "accepted", 1],
    [" ran", "rejected", 2],
    [" sat", "accepted", 2],
    [" on", "own", 3],
  ]);
  expect(nodes.map(describeNode)).toEqual([
    "“the”, the root: decided before this pass",
    "“·dog”, depth 1, by a, rejected",
    "“·cat”, depth 1, by a and b, accepted",
    "“·ran”, depth 2, by a, rejected",
    "“·sat”, depth 2, by b, accepted",
    "“·on”, depth 3, the target's own token",
  ]);
});

test("an answer that ends inside the accepted path has no token of the target's own", () => {
  const cut = draftNodes({ tree, path: [2, 4], pieces: [" cat", " sat"] });
  expect(cut.some(({ fate }) => fate === "own")).toBe(false);
  expect(draftNodes({ tree: [], path: [], pieces: ["x"] })).toEqual([]);
});

test("what became text is the straight line on top; columns are depths; boxes never overlap", () => {
  expect(childrenOf(nodes)).toEqual([[2, 1], [3], [4], [], [5], []]);
  const { boxes, width, height } = layOutTree(nodes);
  const line = [0, 2, 4, 5].map((index) => boxes[index]!);
  expect(new Set(line.map(({ y }) => y)).size).toBe(1);
  expect(boxes[1]!.x).toBe(boxes[2]!.x);
  for (const [index, box] of boxes.entries()) {
    expect(box.x + box.width).toBeLessThanOrEqual(width);
    expect(box.y).toBeLessThan(height);
    for (const other of boxes.slice(0, index)) {
      const isApart = box.y !== other.y || box.x >= other.x + other.width || other.x >= box.x + box.width;
      expect(isApart).toBe(true);
    }
  }
});

test("white space and control characters are seen", () => {
  expect(visibleText(" a\n\tb")).toBe("·a↵⇥b");
  expect(visibleText("")).toBe("∅");
  expect(visibleText("\u0000\u200b")).toBe("��");
});
