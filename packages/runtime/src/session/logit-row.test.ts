import { expect, test } from "vitest";
import { argmaxOf, logSumExpOf, topKOf } from "./logit-row.ts";

const row = (...values: number[]) => Float32Array.from(values);

test.each<[string, Float32Array, number]>([
  ["the last of an odd number", row(1, 2, 3, 4, 5), 4],
  ["the lowest id among equals", row(1, 7, 3, 7, 7), 1],
  ["a row of one", row(-3), 0],
  ["nothing but minus infinity", row(-Infinity, -Infinity), 0],
  ["a NaN anywhere", row(1, 2, 3, 9, 1, Number.NaN, 10), -1],
])("argmax: %s", (_, logits, expected) => {
  expect(argmaxOf(logits)).toBe(expected);
});

test("top-k keeps exactly k, the lower id first among equals, also across the k-th place", () => {
  const { ids, logProbabilities } = topKOf(row(5, 1, 9, 5, 9, 5), 4);
  expect([...ids]).toEqual([2, 4, 0, 3]);
  expect(logProbabilities[0]).toBeCloseTo(9 - logSumExpOf(row(5, 1, 9, 5, 9, 5)), 12);
  expect([...topKOf(row(1, 2), 5).ids]).toEqual([1, 0]);
});

test("log-sum-exp does not overflow", () => {
  expect(logSumExpOf(row(1000, 1000))).toBeCloseTo(1000 + Math.log(2), 9);
});
