import { expect, test } from "vitest";
import { compare } from "./fidelity.ts";

test("a law does not diverge from itself, nor from itself moved by a constant", () => {
  const logits = Float32Array.of(1, 2, 3, -50);
  expect(compare(logits, logits)).toEqual({ divergence: 0, isSameTop: true });
  expect(
    compare(
      logits,
      logits.map((logit) => logit + 8),
    ).divergence,
  ).toBeCloseTo(0, 6);
});

test("the divergence of two coins is that of the formula", () => {
  // p = (1/2, 1/2), q = (3/4, 1/4): KL(p, q) = ln 2 - ln(3) / 2.
  const { divergence, isSameTop } = compare(Float32Array.of(0, 0), Float32Array.of(Math.log(3), 0));
  expect(divergence).toBeCloseTo(Math.log(2) - Math.log(3) / 2, 6);
  expect(isSameTop).toBe(true);
});
