import { hasCode } from "@foretoken/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeTable, encodeTable } from "./table-format.ts";
import { TokenTable } from "./token-table.ts";

const MODEL = { contentHash: "c0ffee", vocabularySize: 100 };

function filled(): TokenTable {
  const table = new TokenTable({ vocabularySize: 100, candidatesPerToken: 3 });
  table.set(99, [0, 99, 1]);
  table.set(0, [4]);
  table.set(40, [7, 8]);
  return table;
}

function refusal(bytes: Uint8Array, model = MODEL): string {
  try {
    decodeTable(bytes, model, "t.table");
  } catch (error) {
    if (hasCode(error, "TABLE_INVALID")) return error.message;
    throw error;
  }
  return "accepted";
}

test("a table comes back as it was", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.nat(99).map(String), fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 3 })),
      (rows) => {
        const table = new TokenTable({ vocabularySize: 100, candidatesPerToken: 3 });
        for (const [token, row] of Object.entries(rows)) table.set(Number(token), row);
        const copy = decodeTable(encodeTable(table, "c0ffee"), MODEL);
        expect(copy.tokens()).toEqual(table.tokens());
        expect(copy.tokens().map((token) => copy.row(token))).toEqual(
          table.tokens().map((token) => table.row(token)),
        );
      },
    ),
  );
});

test("bytes do not depend on the order of writing, and may lie anywhere in a buffer", () => {
  const other = new TokenTable({ vocabularySize: 100, candidatesPerToken: 3 });
  for (const token of [0, 40, 99]) other.set(token, filled().row(token));
  const bytes = encodeTable(filled(), "c0ffee");
  expect(encodeTable(other, "c0ffee")).toEqual(bytes);

  const buffer = new Uint8Array(bytes.length + 3);
  buffer.set(bytes, 3);
  expect(decodeTable(buffer.subarray(3), MODEL).row(99)).toEqual([0, 99, 1]);
});

test("a table of another model, vocabulary, format or version is refused by name", () => {
  const bytes = encodeTable(filled(), "c0ffee");
  expect(refusal(bytes, { ...MODEL, contentHash: "decaf" })).toMatch(/^t\.table .*c0ffee.*decaf/);
  expect(refusal(bytes, { ...MODEL, vocabularySize: 101 })).toMatch(/^t\.table .*100.*101/);
  expect(refusal(new TextEncoder().encode("GGUF and more"))).toMatch(/no token table/);
  expect(refusal(new Uint8Array())).toMatch(/no token table/);
  const newer = bytes.slice();
  newer[8] = 2;
  expect(refusal(newer)).toMatch(/version 2.*version 1/);
});

test("a table cut anywhere is refused", () => {
  const bytes = encodeTable(filled(), "c0ffee");
  for (let length = 0; length < bytes.length; length++) {
    expect(refusal(bytes.subarray(0, length)), `${length} bytes`).not.toBe("accepted");
  }
});

test("a table with any bit changed is refused", () => {
  const bytes = encodeTable(filled(), "c0ffee");
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(refusal(changed), `bit ${bit}`).not.toBe("accepted");
  }
});

test("rows with ids outside the vocabulary are refused although the checksum is right", () => {
  const table = new TokenTable({ vocabularySize: 100, candidatesPerToken: 3 });
  table.set(40, [7, 100]);
  expect(refusal(encodeTable(table, "c0ffee"))).toMatch(/outside its vocabulary of 100, in row 0/);
});
