import { hasCode, type Tokenizer } from "@foretoken/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SuccessorCounts } from "./successor-counts.ts";
import { decodeSuccessors, encodeSuccessors } from "./successor-format.ts";
import { modelOwner, type OwningModel, type SuccessorOwner, textOwner } from "./successor-owner.ts";
import type { SuccessorTable } from "./successor-table.ts";

const V = 20;
const MODEL: OwningModel = { contentHash: "c0ffee", vocabularySize: V, tokenizer: undefined };

/** A tokenizer whose token `i` is the bytes of `i` and `tag`. */
const tokenizer = (tag: number) =>
  ({
    vocabularySize: V,
    specialTokens: new Map([[0, "end"]]),
    tokenBytes: (token: number) => Uint8Array.of(token, tag),
  }) as unknown as Tokenizer;

function tableOf(text: readonly number[], order: 1 | 2 = 2, owner: SuccessorOwner = modelOwner(MODEL)) {
  const counts = new SuccessorCounts({ order, vocabularySize: V, owner });
  counts.addText(text);
  return counts.table();
}

function refusal(bytes: Uint8Array, model = MODEL): string {
  try {
    decodeSuccessors(bytes, model, "t.table");
  } catch (error) {
    if (hasCode(error, "TABLE_INVALID")) return error.message;
    throw error;
  }
  return "accepted";
}

test("a table comes back as it was, wherever its bytes lie", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(V - 1), { maxLength: 60 }),
      fc.constantFrom(1 as const, 2 as const),
      fc.nat(7),
      (text, order, shift) => {
        const table = tableOf(text, order);
        const bytes = encodeSuccessors(table);
        const buffer = new Uint8Array(bytes.length + shift);
        buffer.set(bytes, shift);
        const copy = decodeSuccessors(buffer.subarray(shift), MODEL);
        expect(copy.arrays).toEqual(table.arrays);
        expect([copy.order, copy.vocabularySize, copy.owner]).toEqual([order, V, table.owner]);
      },
    ),
  );
});

test("a table of a model fits that model alone", () => {
  const bytes = encodeSuccessors(tableOf([1, 2, 3]));
  expect(refusal(bytes)).toBe("accepted");
  expect(refusal(bytes, { ...MODEL, contentHash: "decaf" })).toMatch(/^t\.table .*model c0ffee.*decaf/);
  expect(refusal(bytes, { ...MODEL, vocabularySize: 21 })).toMatch(/20.*21/);
});

test("a table of a tokenizer fits every model that has it", () => {
  const owner = textOwner({ contentHash: "c0ffee", tokenizer: tokenizer(1) });
  expect(owner.kind).toBe("tokenizer");
  const bytes = encodeSuccessors(tableOf([1, 2, 3], 2, owner));
  expect(refusal(bytes, { ...MODEL, contentHash: "decaf", tokenizer: tokenizer(1) })).toBe("accepted");
  expect(refusal(bytes, { ...MODEL, tokenizer: tokenizer(2) })).toMatch(/^t\.table .*tokenizer 20-/);
});

test("other files, and a table cut or changed anywhere, are refused", () => {
  const bytes = encodeSuccessors(tableOf([1, 2, 3, 1, 2]));
  expect(refusal(new TextEncoder().encode("FORETOKN and more"))).toMatch(/no table of successors/);
  for (let length = 0; length < bytes.length; length++) {
    expect(refusal(bytes.subarray(0, length)), `${length} bytes`).not.toBe("accepted");
  }
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(refusal(changed), `bit ${bit}`).not.toBe("accepted");
  }
});

test("rows outside the vocabulary or out of order are refused although the checksum is right", () => {
  const bad: ((table: SuccessorTable) => void)[] = [
    ({ arrays }) => (arrays.ids[0] = V),
    ({ arrays }) => (arrays.keys[0] = V * V),
    ({ arrays }) => (arrays.keys[1] = arrays.keys[0]!),
    ({ arrays }) => (arrays.starts[1] = 0),
    ({ arrays }) => (arrays.weights[0] = Number.NaN),
    ({ arrays }) => (arrays.seen[0] = 0),
  ];
  for (const [index, spoil] of bad.entries()) {
    const table = tableOf([1, 2, 3, 4, 5]);
    spoil(table);
    expect(refusal(encodeSuccessors(table)), `spoilt ${index}`).toMatch(/out of order or outside/);
  }
});
