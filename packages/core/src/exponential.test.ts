import { expect, test } from "vitest";
import { expNegative } from "./exponential.ts";

test("is within 2e-12 of the exponential, on table steps and between them", () => {
  let worst = 0;
  for (let index = 0; index < 200_000; index++) {
    const x = (index * 699) / 200_000 + (index % 7) * 1e-5;
    const exact = Math.exp(-x);
    worst = Math.max(worst, Math.abs(expNegative(x) - exact) / exact);
  }
  expect(worst).toBeLessThan(2e-12);
});

test("is exactly 1 at 0 and 0 where nothing is left", () => {
  expect(expNegative(0)).toBe(1);
  expect(expNegative(700)).toBe(0);
  expect(expNegative(Number.POSITIVE_INFINITY)).toBe(0);
});
