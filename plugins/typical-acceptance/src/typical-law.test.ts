import { denseLaw, pointLaw } from "@foretoken/core";
import { expect, test } from "vitest";
import { drawTypical, typicalBound } from "./typical-law.ts";

/** Entropy 1.5 ln 2, so that e^-H is 2^-1.5 = 0.354. */
const law = denseLaw(Float64Array.of(0.25, 0.5, 0, 0.25));

test("the bound is the smaller of the two", () => {
  expect(typicalBound(law, { epsilon: 1, alpha: 0.3 })).toBeCloseTo(0.3 * 2 ** -1.5, 12);
  expect(typicalBound(law, { epsilon: 0.09, alpha: 0.3 })).toBe(0.09);
  expect(typicalBound(law, { epsilon: 0, alpha: 0.3 })).toBe(0);
  // Sure: no entropy.
  expect(typicalBound(pointLaw(2, 4), { epsilon: 1, alpha: 0.3 })).toBeCloseTo(0.3, 12);
});

test("the likeliest token is typical of every law, even of one that prefers none", () => {
  for (const size of [2, 3, 7, 100, 1000]) {
    const flat = denseLaw(new Float64Array(size).fill(1 / size));
    const bound = typicalBound(flat, { epsilon: 1, alpha: 0.999 });
    expect(flat.probability(flat.mode())).toBeGreaterThan(bound);
  }
});

test("draws in token-id order from what is above the bound", () => {
  const spread = denseLaw(Float64Array.of(0.1, 0.4, 0.1, 0.2, 0.2));
  // 0.4, 0.2 and 0.2 are left, of a mass of 0.8.
  const drawn = [0, 0.49, 0.51, 0.74, 0.76, 1 - 2 ** -53].map((uniform) => drawTypical(spread, 0.1, uniform));
  expect(drawn).toEqual([1, 1, 3, 3, 4, 4]);
});

test("at a bound of 0 draws are the law's own", () => {
  for (let at = 0; at < 100; at++) expect(drawTypical(law, 0, at / 100)).toBe(law.draw(at / 100));
});
