import { expect, test } from "vitest";
import { RowPrices } from "./row-prices.ts";

/** A curve on which each further row costs a tenth of a pass of one. */
const model = { cost: { isMeasured: false, ms: (rows: number) => 10 * (1 + 0.1 * (rows - 1)) } };

test("before anything was timed the curve holds", () => {
  const prices = new RowPrices();
  expect([0, 1, 4, 20].map((nodes) => prices.at(model, 0)(nodes))).toEqual(
    [0, 0.1, 0.4, 2].map((price) => expect.closeTo(price, 9)),
  );
  prices.timed(4, 99, model, 0);
  prices.timed(1, 0, model, 0);
  // A pass says nothing before one of one row was timed, and a recorded one takes no time.
  expect(prices.at(model, 0)(3)).toBeCloseTo(0.3, 9);
});

test("passes that were timed correct it, each size by its own", () => {
  const prices = new RowPrices();
  for (let pass = 0; pass < 200; pass++) {
    prices.timed(1, 20, model, 0);
    prices.timed(2, 28, model, 0);
    prices.timed(6, 30, model, 0);
  }
  expect(prices.at(model, 0)(1)).toBeCloseTo(0.4, 1);
  expect(prices.at(model, 0)(5)).toBeCloseTo(0.5, 1);
  expect(prices.at(model, 0)(3)).toBeCloseTo(0.3, 9);
});

test("a disturbed pass counts for little, and a fork learns for itself", () => {
  const prices = new RowPrices();
  prices.timed(1, 10, model, 0);
  for (let pass = 0; pass < 50; pass++) prices.timed(2, 11, model, 0);
  const fork = prices.fork();
  fork.timed(2, 1e9, model, 0);
  expect(prices.at(model, 0)(1)).toBeCloseTo(0.1, 3);
  expect(fork.at(model, 0)(1)).toBeLessThan(0.35);
});
