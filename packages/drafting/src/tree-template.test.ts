import { expect, test } from "vitest";
import {
  candidatesNeeded,
  cutTemplate,
  TEMPLATE_2_2_2,
  type TreeTemplate,
  treeTemplate,
} from "./tree-template.ts";

const published = treeTemplate(TEMPLATE_2_2_2);

/** A node as its ranks from the root, such as `0.2`. */
const pathOf = (template: TreeTemplate, node: number): string => {
  const { parent, rank } = template[node]!;
  return parent <= 0 ? String(rank) : `${pathOf(template, parent)}.${rank}`;
};
const paths = (template: TreeTemplate) => template.slice(1).map((_, index) => pathOf(template, index + 1));

/** The first place whose parent, depth or rank does not follow from the places before it. */
function firstFault(template: TreeTemplate): number | undefined {
  const children = template.map(() => 0);
  const fault = template.findIndex(({ parent, rank, depth }, node) => {
    if (node === 0) return parent !== -1 || depth !== 0;
    return (
      !(parent >= 0 && parent < node) || depth !== template[parent]!.depth + 1 || rank !== children[parent]!++
    );
  });
  return fault === -1 ? undefined : fault;
}

test("the published template has 80 places on levels of 8, 21, 25, 15, 8 and 3, and 40 leaves", () => {
  expect(firstFault(published)).toBeUndefined();
  expect(published.length - 1).toBe(80);
  const levels = [1, 2, 3, 4, 5, 6, 7].map(
    (depth) => published.filter((node) => node.depth === depth).length,
  );
  expect(levels).toEqual([8, 21, 25, 15, 8, 3, 0]);
  const parents = new Set(published.map(({ parent }) => parent));
  expect(published.filter((_, node) => !parents.has(node))).toHaveLength(40);
  expect(candidatesNeeded(published)).toBe(8);
});

test("places stand level by level, siblings in a row", () => {
  const template = treeTemplate([[2], [1, 2], [0, 1, 0]]);
  expect(paths(template)).toEqual(["0", "1", "0.0", "1.0", "1.1", "1.0.0"]);
  expect(candidatesNeeded(template)).toBe(2);
  expect(candidatesNeeded(treeTemplate([[0]]))).toBe(0);
});

test("a cut keeps the places with most behind them, and is a tree at every limit", () => {
  const template = treeTemplate([[3], [2, 1, 0], [2, 0, 0]]);
  //      behind 0: 4, behind 0.0: 2, behind 1: 1, nothing behind the others
  expect(paths(cutTemplate(template, 1))).toEqual(["0"]);
  expect(paths(cutTemplate(template, 2))).toEqual(["0", "0.0"]);
  expect(paths(cutTemplate(template, 3))).toEqual(["0", "0.0", "1"]);
  expect(paths(cutTemplate(template, 4))).toEqual(["0", "0.0", "1", "2"]);
  expect(paths(cutTemplate(template, 6))).toEqual(["0", "0.0", "1", "2", "0.1", "1.0"]);
  expect(paths(cutTemplate(template, 99)).sort()).toEqual(paths(template).sort());
  expect(cutTemplate(template, 0)).toHaveLength(1);
});

test("cuts of the published template are well-formed, and each begins with the smaller ones", () => {
  let smaller: string[] = [];
  for (let limit = 1; limit <= 80; limit++) {
    const cut = cutTemplate(published, limit);
    expect(firstFault(cut)).toBeUndefined();
    const places = paths(cut);
    expect(places).toHaveLength(limit);
    expect(places.slice(0, -1)).toEqual(smaller);
    smaller = places;
  }
});

test.each([
  [[[2], [1]], /Level 1 .* 1 child counts for 2 nodes/],
  [[[1], [1], [1, 1]], /Level 2 .* 2 child counts for 1 nodes/],
  [[[-1]], /Level 0 .* child count -1/],
  [[[1.5]], /Level 0 .* child count 1.5/],
])("child counts %j are refused", (counts, message) => {
  expect(() => treeTemplate(counts)).toThrow(message);
});
