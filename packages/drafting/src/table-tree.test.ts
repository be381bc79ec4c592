import { expect, test } from "vitest";
import { tableTree } from "./table-tree.ts";
import { TokenTable } from "./token-table.ts";
import { TEMPLATE_2_2_2, treeTemplate } from "./tree-template.ts";

test("places get the candidates of their parents' tokens", () => {
  const table = new TokenTable({ vocabularySize: 4, candidatesPerToken: 2 });
  table.set(0, [1, 2]);
  table.set(1, [3, 0]);
  table.set(2, [2, 1]);
  //  0 ─┬─ 1 ─┬─ 3        M[0] = 1 2, M[1] = 3 0, M[2] = 2 1
  //     │     └─ 0
  //     └─ 2
  const tree = tableTree(0, table, treeTemplate([[2], [2, 0]]), "table");
  expect(tree.nodes.map(({ token, parent, depth }) => [token, parent, depth])).toEqual([
    [0, -1, 0],
    [1, 0, 1],
    [2, 0, 1],
    [3, 1, 2],
    [0, 1, 2],
  ]);
  expect(tree.nodes[1]!.trials).toEqual([
    { token: 3, child: 3, proposal: "point", source: "table" },
    { token: 0, child: 4, proposal: "point", source: "table" },
  ]);
});

test("places without a candidate are left out with all behind them", () => {
  const table = new TokenTable({ vocabularySize: 4, candidatesPerToken: 2 });
  table.set(0, [1]);
  table.set(1, [2, 3]);
  const tree = tableTree(0, table, treeTemplate([[2], [2, 2], [1, 1, 1, 1]]), "table");
  expect(tree.nodes.map(({ token }) => token)).toEqual([0, 1, 2, 3]);
  expect(tableTree(3, table, treeTemplate(TEMPLATE_2_2_2), "table").size).toBe(0);
});

test("a candidate that stands twice in a row is one node", () => {
  const table = new TokenTable({ vocabularySize: 4, candidatesPerToken: 2 });
  table.set(0, [1, 1]);
  expect(tableTree(0, table, treeTemplate([[2]]), "table").size).toBe(1);
});
