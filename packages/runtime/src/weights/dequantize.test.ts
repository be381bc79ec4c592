import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { shared } from "../../../../test/shared.ts";
import { dequantize, dequantizeInto } from "./dequantize.ts";
import type { StoredType } from "./model-weights.ts";
import { STORED_FORMATS, storedBytes } from "./stored-formats.ts";

interface BlockReference {
  readonly blockValues: number;
  readonly blockBytes: number;
  readonly hex: string;
  readonly values: readonly number[];
}

const references: Record<string, BlockReference> = JSON.parse(
  readFileSync(shared("fixtures/reference/blocks.json"), "utf8"),
).types;

test.each(Object.keys(references) as StoredType[])("%s equals ggml's values bit for bit", (type) => {
  const { hex, values, blockBytes, blockValues } = references[type];
  const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
  expect(STORED_FORMATS[type]).toMatchObject({ blockBytes, blockValues });
  expect(storedBytes(type, values.length)).toBe(bytes.length);
  const got = dequantize(type, bytes, values.length);
  const wrong = values.findIndex((value, i) => got[i] !== value);
  expect(wrong, `first difference at ${wrong}`).toBe(-1);
});

test("F32 is read from any byte offset", () => {
  const bytes = new Uint8Array(13);
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2, 3e-39).buffer), 1);
  const into = new Float32Array(4);
  dequantizeInto("F32", bytes, 1, 3, into, 1);
  expect([...into]).toEqual([0, 1.5, -2, Math.fround(3e-39)]);
});

test("halves cover zeros, subnormals, infinities and not-a-number", () => {
  const halves = Uint16Array.of(0x0000, 0x8000, 0x0001, 0x83ff, 0x7c00, 0xfc00, 0x7e00, 0x7bff);
  const got = dequantize("F16", new Uint8Array(halves.buffer), halves.length);
  expect([...got]).toEqual([0, -0, 2 ** -24, -1023 * 2 ** -24, Infinity, -Infinity, NaN, 65504]);
});
