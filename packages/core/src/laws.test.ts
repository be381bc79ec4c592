import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { denseLaw, pointLaw, sparseLaw } from "./laws.ts";
import type { TokenLaw } from "./token-law.ts";

const V = 6;
const ALMOST_ONE = 1 - 2 ** -53;
const probabilities = (law: TokenLaw | undefined) =>
  Array.from({ length: V }, (_, token) => law!.probability(token));
const dense = (...weights: number[]) => denseLaw(Float64Array.from(weights));
const sparse = (entries: Record<number, number>) =>
  sparseLaw(Int32Array.from(Object.keys(entries), Number), Float64Array.from(Object.values(entries)), V);

/** Weights with zeros in them, never all 0. */
const weights = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1, noNaN: true })), {
    minLength: V,
    maxLength: V,
  })
  .filter((values) => values.some((value) => value > 0));
/** The same law, dense and sparse. */
const bothKinds = (values: readonly number[]) => [
  dense(...values),
  sparse(Object.fromEntries(values.map((value, token) => [token, value]).filter(([, value]) => value! > 0))),
];

function normalised(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

function expectClose(law: TokenLaw | undefined, expected: readonly number[]): void {
  for (const [token, probability] of probabilities(law).entries())
    expect(probability).toBeCloseTo(expected[token]!, 11);
}

describe("A9: a token of probability 0 is never drawn", () => {
  test.each([0, 2 ** -53, 0.5, ALMOST_ONE])("at uniform %d", (uniform) => {
    fc.assert(
      fc.property(weights, (values) => {
        for (const law of bothKinds(values)) expect(law.probability(law.draw(uniform))).toBeGreaterThan(0);
      }),
    );
  });
});

test("draws in token-id order", () => {
  const law = dense(0.25, 0, 0.5, 0, 0.25, 0);
  expect([0, 0.2499, 0.25, 0.7499, 0.75, ALMOST_ONE].map((uniform) => law.draw(uniform))).toEqual([
    0, 0, 2, 2, 4, 4,
  ]);
});

test("residual and without are what their definitions say, for all kinds of laws", () => {
  fc.assert(
    fc.property(weights, weights, weights, fc.nat(V - 1), (target, first, second, banned) => {
      const [q, p, r] = [normalised(target), normalised(first), normalised(second)];
      const rest = q.map((value, token) => Math.max(0, value - p[token]!));
      if (rest.reduce((a, b) => a + b) < 1e-6) return;
      const expected = normalised(rest);
      const again = expected.map((value, token) => Math.max(0, value - r[token]!));
      const without = q.map((value, token) => (token === banned ? 0 : value));
      for (const law of bothKinds(target)) {
        for (const other of bothKinds(first)) {
          const left = law.residual(other)!;
          expectClose(left, expected);
          expect(expected[left.draw(0)]).toBeGreaterThan(0);
          expect(expected[left.draw(ALMOST_ONE)]).toBeGreaterThan(0);
          if (again.reduce((a, b) => a + b) > 1e-6) {
            for (const last of bothKinds(second)) expectClose(left.residual(last), normalised(again));
          }
        }
        if (without.some((value) => value > 1e-6)) expectClose(law.without(banned), normalised(without));
      }
    }),
  );
});

test("equal laws leave nothing, also when drawn from over and over", () => {
  fc.assert(
    fc.property(weights, (values) => {
      for (const law of bothKinds(values)) {
        for (const other of bothKinds(values)) expect(law.residual(other)).toBeUndefined();
      }
    }),
  );
  expect(pointLaw(3, V).without(3)).toBeUndefined();
});

test("mode takes the lowest id among equals, and entropy is in nats", () => {
  expect(dense(0, 0.5, 0.5, 0, 0, 0).mode()).toBe(1);
  expect(sparse({ 2: 1, 5: 1 }).mode()).toBe(2);
  expect(dense(0, 0.5, 0.5, 0, 0, 0).entropy()).toBeCloseTo(Math.log(2), 12);
  expect(pointLaw(3, V).entropy()).toBe(0);
});

const listed = (...values: number[]) =>
  sparseLaw(Int32Array.from(values.keys()), Float64Array.from(values), V);

test.each([
  ["dense", dense, [0, 0, 0, 0, 0, 0], "EMPTY_LAW"],
  ["sparse", listed, [0, 0, 0, 0, 0, 0], "EMPTY_LAW"],
  ["sparse", listed, [], "EMPTY_LAW"],
  ["dense", dense, [Number.NaN, 1, 0, 0, 0, 0], "INVALID_OPTION"],
  ["sparse", listed, [Number.NaN, 1], "INVALID_OPTION"],
  ["sparse", listed, [2, -1], "INVALID_OPTION"],
  ["sparse", listed, [2, Number.POSITIVE_INFINITY], "INVALID_OPTION"],
])("a %s law refuses weights %#", (_, make, values, code) => {
  expect(() => make(...values)).toThrow(expect.objectContaining({ code }));
});

test.each([
  [[1, 1], "INVALID_OPTION"],
  [[2, 1], "INVALID_OPTION"],
  [[0, V], "INVALID_OPTION"],
  [[-1, 2], "INVALID_OPTION"],
  [[0, 1, 2], "SHAPE_MISMATCH"],
])("refuses tokens %j", (ids, code) => {
  expect(() => sparseLaw(Int32Array.from(ids), Float64Array.of(1, 1), V)).toThrow(
    expect.objectContaining({ code }),
  );
});
