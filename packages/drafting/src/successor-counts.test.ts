import { hasCode } from "@foretoken/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SuccessorCounts, type SuccessorCountsOptions } from "./successor-counts.ts";
import type { SuccessorTable } from "./successor-table.ts";
import { pairKey } from "./successor-table.ts";

const V = 10;
const owner = { kind: "tokenizer", hash: "t" } as const;
const counts = (options: Partial<SuccessorCountsOptions> = {}) =>
  new SuccessorCounts({ order: 2, vocabularySize: V, owner, ...options });
const rowOf = (table: SuccessorTable, key: number) => {
  const row = table.row(key);
  return row && [...row.ids].map((id, rank) => [id, row.weights[rank]]);
};

test("counts three sentences as by hand", () => {
  const three = counts();
  three.addText([1, 2, 3, 1, 2, 4]);
  three.addText([1, 2, 4]);
  three.addText([2, 3]); // No token has two before it.
  const table = three.table();
  expect([...table.arrays.keys]).toEqual([pairKey(V, 1, 2), pairKey(V, 2, 3), pairKey(V, 3, 1)]);
  expect([...table.arrays.seen]).toEqual([3, 1, 1]);
  expect(rowOf(table, pairKey(V, 1, 2))).toEqual([
    [4, Math.fround(2 / 3)],
    [3, Math.fround(1 / 3)],
  ]);
  expect(rowOf(table, pairKey(V, 2, 3))).toEqual([[1, 1]]);
  expect(rowOf(table, pairKey(V, 3, 1))).toEqual([[2, 1]]);
  expect(table.row(pairKey(V, 2, 4))).toBeUndefined();
});

test("single tokens are contexts of order 1", () => {
  const singles = counts({ order: 1 });
  singles.addText([1, 2, 1, 3, 1, 2]);
  expect(rowOf(singles.table(), 1)).toEqual([
    [2, Math.fround(2 / 3)],
    [3, Math.fround(1 / 3)],
  ]);
});

test("the likeliest successors stay, the lower id first among equals, and their shares do not grow", () => {
  const two = counts({ order: 1, successors: 2 });
  two.addText([0, 5, 0, 7, 0, 6, 0, 7]);
  expect(rowOf(two.table(), 0)).toEqual([
    [7, 0.5],
    [5, 0.25],
  ]);
});

test("merged tables are the table of all their texts", () => {
  const text = fc.array(fc.nat(V - 1), { maxLength: 40 });
  fc.assert(
    fc.property(text, text, (first, second) => {
      const [a, b, merged, both] = [counts(), counts(), counts(), counts()];
      a.addText(first);
      b.addText(second);
      merged.addTable(a.table());
      merged.addTable(b.table());
      both.addText(first);
      both.addText(second);
      const [given, expected] = [merged.table(), both.table()];
      expect(given.arrays.keys).toEqual(expected.arrays.keys);
      expect(given.arrays.seen).toEqual(expected.arrays.seen);
      for (const key of expected.arrays.keys) {
        const shares = new Map(rowOf(given, key) as [number, number][]);
        for (const [id, share] of rowOf(expected, key)!) expect(shares.get(id!)).toBeCloseTo(share!, 5);
      }
    }),
  );
});

test("a table of another owner or order is not merged", () => {
  const others = [
    counts({ order: 1 }),
    counts({ owner: { kind: "tokenizer", hash: "u" } }),
    counts({ owner: { kind: "model", hash: "t" } }),
    counts({ vocabularySize: 11 }),
  ];
  for (const other of others) {
    other.addText([1, 2, 3]);
    expect(() => counts().addTable(other.table())).toThrow(/cannot be merged/);
  }
});

test("a table keeps to its bytes, and what was seen most stays", () => {
  const maxBytes = 10 * 24; // Ten rows of one entry.
  const small = counts({ order: 2, vocabularySize: 1000, maxBytes });
  for (let round = 0; round < 5; round++) small.addText([1, 2, 3]);
  for (let token = 10; token < 900; token++) small.addText([token, token + 1, token + 2]);
  const table = small.table();
  expect(table.rows).toBe(10);
  expect(table.bytes).toBeLessThanOrEqual(maxBytes + 4);
  expect(rowOf(table, pairKey(1000, 1, 2))).toEqual([[3, 1]]);
  // While counting, too: the newest of what was seen once is there, the oldest is not.
  expect(table.row(pairKey(1000, 899, 900))).toBeDefined();
  expect(table.row(pairKey(1000, 10, 11))).toBeUndefined();
});

test.each([
  ["successors", { successors: 0 }],
  ["maxBytes", { maxBytes: 1.5 }],
])("%s out of range are refused", (name, options) => {
  try {
    counts(options);
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, "INVALID_OPTION")).toBe(true);
    expect((error as Error).message).toMatch(new RegExp(`^${name} .*${Object.values(options)[0]}`));
  }
});
