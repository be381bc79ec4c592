import { expect, test } from "vitest";
import { candidateTable } from "./candidate-table.ts";
import { SuccessorCounts } from "./successor-counts.ts";

const counted = (order: 1 | 2) => {
  const counts = new SuccessorCounts({ order, vocabularySize: 10, owner: { kind: "model", hash: "m" } });
  counts.addText([1, 2, 1, 3, 1, 2, 4]);
  return counts.table();
};

test("candidates are the successors, best first; unknown rows stay unknown", () => {
  const table = candidateTable(counted(1), 2);
  expect([1, 2, 3, 4].map((token) => table.row(token))).toEqual([[2, 3], [1, 4], [1], []]);
  expect(candidateTable(counted(1), 1).row(1)).toEqual([2]);
});

test("contexts of two tokens have no candidates for one", () => {
  expect(() => candidateTable(counted(2), 2)).toThrow(/table of order 2/);
});
