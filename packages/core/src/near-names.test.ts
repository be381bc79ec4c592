import { expect, test } from "vitest";
import { nearNames } from "./near-names.ts";

const known = ["plain", "prompt-lookup", "token-recycling", "rejection", "fixed"];

test("finds slips of the pen, the nearest only", () => {
  expect(nearNames("prompt-lokup", known)).toEqual(["prompt-lookup"]);
  expect(nearNames("plian", known)).toEqual(["plain"]);
  expect(nearNames("a1", ["a12", "a123", "b1"])).toEqual(["a12", "b1"]);
});

test("says nothing where nothing is near", () => {
  expect(nearNames("dyspec", known)).toEqual([]);
  expect(nearNames("", known)).toEqual([]);
  expect(nearNames("x".repeat(10_000), known)).toEqual([]);
});
