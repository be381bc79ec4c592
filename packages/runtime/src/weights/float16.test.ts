import { expect, test } from "vitest";
import { float16At, float16Bits } from "./float16.ts";

test("every half survives the way to float32 and back", () => {
  const bytes = new Uint8Array(2 * 65536);
  for (let bits = 0; bits < 65536; bits++) {
    bytes[2 * bits] = bits & 255;
    bytes[2 * bits + 1] = bits >> 8;
  }
  const values = Float32Array.from({ length: 65536 }, (_, bits) => float16At(bytes, 2 * bits));
  const halves = float16Bits(values);
  for (let bits = 0; bits < 65536; bits++) {
    const isNan = (bits & 0x7fff) > 0x7c00;
    if (isNan) expect(halves[bits] & 0x7e00).toBe(0x7e00);
    else expect(halves[bits]).toBe(bits);
  }
});

test("rounds to the nearest half, ties to even", () => {
  const step = 2 ** -10;
  const rounded = float16Bits(
    Float32Array.of(1 + step / 2, 1 + 1.5 * step, 1 + 0.51 * step, 65520, 2 ** -25, 3e-8),
  );
  expect([...rounded]).toEqual([0x3c00, 0x3c02, 0x3c01, 0x7c00, 0, 1]);
});
