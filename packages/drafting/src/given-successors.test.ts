import { expect, test } from "vitest";
import { GivenSuccessors, isSuccessorTable, namedSuccessors } from "./given-successors.ts";
import { SuccessorCounts } from "./successor-counts.ts";
import { TokenTable } from "./token-table.ts";

const MODEL = { contentHash: "c0ffee", vocabularySize: 10, tokenizer: undefined };
const counts = new SuccessorCounts({
  order: 1,
  vocabularySize: 10,
  owner: { kind: "model", hash: "c0ffee" },
});
counts.addText([1, 2, 3]);
const table = counts.table();

test("a table is there at once, a file once it was read", async () => {
  expect(new GivenSuccessors(table, "table", 1).tableFor(MODEL)).toBe(table);
  const file = new GivenSuccessors("no such file", "table of mine", 1);
  expect(() => file.tableFor(MODEL)).toThrow(/table of mine .* not read yet/);
  await expect(file.prepare(MODEL)).rejects.toThrow(/no such file cannot be read/);
});

test("a table of another order or model is refused, before the answer and at its start", async () => {
  const order = new GivenSuccessors(table, "table of mine", 2);
  expect(() => order.tableFor(MODEL)).toThrow(/contexts of 1 tokens/);
  await expect(order.prepare(MODEL)).rejects.toThrow(/contexts of 1 tokens/);
  await expect(
    new GivenSuccessors(table, "table of mine", 1).prepare({ ...MODEL, contentHash: "decaf" }),
  ).rejects.toThrow(/table of mine was made for model c0ffee/);
});

test("a name is a resource where there is one, else a path", () => {
  expect(namedSuccessors("mine", { mine: table })).toBe(table);
  expect(namedSuccessors("mine", {})).toBe("mine");
  expect(namedSuccessors(table, {})).toBe(table);
  expect(namedSuccessors(undefined, {})).toBeUndefined();
  expect(() => namedSuccessors("mine", { mine: 3 })).toThrow(/"mine" is no table/);
});

test("tables are told by shape", () => {
  expect(isSuccessorTable({ ...table, rows: table.rows })).toBe(true);
  for (const other of [
    undefined,
    3,
    "text",
    {},
    new TokenTable({ vocabularySize: 2, candidatesPerToken: 1 }),
  ]) {
    expect(isSuccessorTable(other)).toBe(false);
  }
});
