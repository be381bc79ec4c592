import { scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { TableStore } from "./table-store.ts";
import { TokenTable } from "./token-table.ts";

const model = scriptedModel({ next: () => 0 });

test("a model gets the same table every time, another model another", () => {
  const store = new TableStore();
  const table = store.tableFor(model, 2);
  expect(store.tableFor(model, 2)).toBe(table);
  expect(store.get(model.contentHash)).toBe(table);
  expect(table.vocabularySize).toBe(model.vocabularySize);
  expect(store.tableFor({ ...model, contentHash: "another" }, 2)).not.toBe(table);
});

test("a loaded table takes the place of the model's own, unless it is too narrow", () => {
  const store = new TableStore();
  const loaded = new TokenTable({ vocabularySize: 8, candidatesPerToken: 3 });
  store.set(model.contentHash, loaded);
  expect(store.tableFor(model, 2)).toBe(loaded);
  expect(() => store.tableFor(model, 4)).toThrow(/has 3 candidates .* 4 are asked for/);
});

test("tables of a store keep its memory limit", () => {
  const store = new TableStore({ maxBytes: 256 });
  const table = store.tableFor({ ...model, vocabularySize: 1000 }, 2);
  for (let token = 0; token < 1000; token += 32) table.set(token, [1]);
  expect(table.bytes).toBe(256);
});
