import { hasCode } from "@foretoken/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenTable } from "./token-table.ts";

const small = () => new TokenTable({ vocabularySize: 100, candidatesPerToken: 3 });

test("rows are unknown until they are written", () => {
  const table = small();
  expect(table.has(0)).toBe(false);
  expect(table.row(0)).toEqual([]);
  expect(table.candidate(99, 0)).toBeUndefined();
  expect(table.tokens()).toEqual([]);
  expect(table.bytes).toBe(0);
});

test("a row keeps its best candidates in order, and token 0 is a candidate like any other", () => {
  const table = small();
  table.set(7, [5, 0, 9, 4]);
  table.set(8, [0]);
  expect(table.row(7)).toEqual([5, 0, 9]);
  expect(table.row(8)).toEqual([0]);
  expect(table.candidate(7, 1)).toBe(0);
  expect(table.candidate(8, 1)).toBeUndefined();
  expect(table.candidate(7, 3)).toBeUndefined();
  expect(table.tokens()).toEqual([7, 8]);
});

test("a shorter row replaces all of a longer one", () => {
  const table = small();
  table.set(7, [5, 6, 9]);
  table.set(7, [1]);
  expect(table.row(7)).toEqual([1]);
  table.set(7, []);
  expect(table.has(7)).toBe(false);
});

test("copies and their origin do not see each other's later rows", () => {
  const origin = small();
  origin.set(1, [11]);
  origin.set(2, [12]);
  const copy = origin.fork();
  const second = copy.fork();
  copy.set(1, [21]);
  origin.set(2, [32]);
  expect([origin.row(1), origin.row(2)]).toEqual([[11], [32]]);
  expect([copy.row(1), copy.row(2)]).toEqual([[21], [12]]);
  expect([second.row(1), second.row(2)]).toEqual([[11], [12]]);
});

test("any history of rows and copies reads like plain maps", () => {
  const step = fc.oneof(
    fc.record({ table: fc.nat(9), token: fc.nat(99), row: fc.array(fc.nat(99), { maxLength: 4 }) }),
    fc.record({ forkOf: fc.nat(9) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tables = [small()];
      const maps = [new Map<number, number[]>()];
      for (const next of steps) {
        if ("forkOf" in next) {
          tables.push(tables[next.forkOf % tables.length]!.fork());
          maps.push(new Map(maps[next.forkOf % maps.length]));
        } else {
          tables[next.table % tables.length]!.set(next.token, next.row);
          maps[next.table % maps.length]!.set(next.token, next.row.slice(0, 3));
        }
      }
      const tokens = Array.from({ length: 100 }, (_, token) => token);
      expect(tables.map((table) => tokens.map((token) => table.row(token)))).toEqual(
        maps.map((map) => tokens.map((token) => map.get(token) ?? [])),
      );
    }),
  );
});

test("memory stays below the limit, and what was written longest ago is forgotten first", () => {
  const pageBytes = 4 * 32 * 2;
  const table = new TokenTable({ vocabularySize: 1000, candidatesPerToken: 2, maxBytes: 2 * pageBytes });
  table.set(0, [1]);
  table.set(100, [2]);
  table.set(1, [3]); // The first page again, so that the second is the oldest.
  table.set(500, [4]);
  expect(table.bytes).toBe(2 * pageBytes);
  expect([0, 1, 100, 500].map((token) => table.has(token))).toEqual([true, true, false, true]);

  const copy = table.fork();
  copy.set(900, [5]);
  expect(copy.bytes).toBe(2 * pageBytes);
  expect(table.has(900)).toBe(false);
});

test.each([
  ["vocabularySize", { vocabularySize: 0, candidatesPerToken: 8 }, "0"],
  ["candidatesPerToken", { vocabularySize: 8, candidatesPerToken: 1.5 }, "1.5"],
  ["maxBytes", { vocabularySize: 8, candidatesPerToken: 8, maxBytes: 1023 }, "1023"],
  ["maxBytes", { vocabularySize: 8, candidatesPerToken: 8, maxBytes: Number.NaN }, "NaN"],
])("a %s out of range is refused with its value", (name, options, value) => {
  const refused = () => new TokenTable(options);
  expect(refused).toThrow(new RegExp(`^${name} .* ${value},`));
  try {
    refused();
  } catch (error) {
    expect(hasCode(error, "INVALID_OPTION")).toBe(true);
  }
});
