import { expect, test } from "vitest";
import { bootstrapInterval } from "./bootstrap.ts";
import { mean } from "./statistics.ts";

const meanOfAll = (strata: readonly (readonly number[])[]) => mean(strata.flat());

test("the interval of equal values has no width", () => {
  expect(bootstrapInterval([[2, 2, 2], [2]], meanOfAll)).toEqual([2, 2]);
});

test("the interval of a mean is about two standard errors to each side", () => {
  // 100 values of variance 1/12 around 0.5: standard error 0.0289.
  const values = Array.from({ length: 100 }, (_, i) => (i + 0.5) / 100);
  const [low, high] = bootstrapInterval([values], meanOfAll);
  expect(low).toBeCloseTo(0.5 - 1.96 * 0.0289, 2);
  expect(high).toBeCloseTo(0.5 + 1.96 * 0.0289, 2);
});

test("nearly all of 100 intervals hold the true mean", () => {
  let state = 12345;
  const uniform = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2 ** 32;
  };
  let hits = 0;
  for (let trial = 0; trial < 100; trial++) {
    const values = Array.from({ length: 40 }, uniform);
    const [low, high] = bootstrapInterval([values], meanOfAll, { resamples: 200, seed: trial });
    if (low <= 0.5 && 0.5 <= high) hits++;
  }
  expect(hits / 100).toBeGreaterThan(0.89);
  expect(hits / 100).toBeLessThan(0.99);
});

test("resamples keep the size of every stratum", () => {
  const sizes = new Set<string>();
  bootstrapInterval([[1, 2, 3], [10]], (strata) => {
    sizes.add(strata.map((values) => values.length).join());
    expect(strata[1]).toEqual([10]);
    return 0;
  });
  expect([...sizes]).toEqual(["3,1"]);
});

test("the same seed gives the same interval", () => {
  const values = [[1, 5, 2, 9, 4]];
  expect(bootstrapInterval(values, meanOfAll, { seed: 7 })).toEqual(
    bootstrapInterval(values, meanOfAll, { seed: 7 }),
  );
  expect(bootstrapInterval(values, meanOfAll, { seed: 7 })).not.toEqual(
    bootstrapInterval(values, meanOfAll, { seed: 8 }),
  );
});
