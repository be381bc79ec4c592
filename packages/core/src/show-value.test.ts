import { expect, test } from "vitest";
import { showValue } from "./show-value.ts";

test("shows values shortly and never throws", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  expect([Number.NaN, undefined, 3n, Symbol("s"), "a", null, [1]].map(showValue)).toEqual([
    "NaN",
    "undefined",
    "3",
    "Symbol(s)",
    '"a"',
    "null",
    "[1]",
  ]);
  expect(showValue(cyclic)).toBe("[object Object]");
  expect(showValue(() => 1)).toBe("a function");
  expect(showValue("x".repeat(1000))).toHaveLength(60);
});
