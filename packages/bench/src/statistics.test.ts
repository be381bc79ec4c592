import { expect, test } from "vitest";
import { geometricMean, leastSquares, mean, median, quantile } from "./statistics.ts";

test("quantiles interpolate between neighbours and ignore the order of values", () => {
  expect(quantile([30, 10, 20], 0)).toBe(10);
  expect(quantile([30, 10, 20], 0.5)).toBe(20);
  expect(quantile([30, 10, 20], 0.75)).toBe(25);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test("a gain and the equal loss cancel in the geometric mean, not in the arithmetic one", () => {
  expect(geometricMean([2, 0.5])).toBeCloseTo(1, 12);
  expect(mean([2, 0.5])).toBe(1.25);
});

test("least squares finds the line points lie on", () => {
  const { slope, intercept } = leastSquares([0, 1000, 2000], [5, 8, 11]);
  expect(slope).toBeCloseTo(0.003, 12);
  expect(intercept).toBeCloseTo(5, 12);
});
