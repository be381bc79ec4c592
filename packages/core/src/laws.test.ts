import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { denseLaw, pointLaw, sparseLaw } from "./laws.ts";
import { seededRandom } from "./philox.ts";
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

test("nothing is left when all tokens were taken out, however unlike their probabilities", () => {
  for (const law of bothKinds([1, 1e-5, 1e-9, 3e-11, 0, 0])) {
    const rest = law.without(0)!.without(1)!.without(2)!;
    expect([3, 2].map((token) => rest.probability(token))).toEqual([1, 0]);
    expect(rest.without(3)).toBeUndefined();
  }
});

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

describe("a law over several blocks of the vocabulary", () => {
  const SIZE = 600;
  const random = seededRandom(5);
  const row = Float64Array.from({ length: SIZE }, (_, token) =>
    // Whole blocks are nearly empty, and both ends of every block are possible or not by turns.
    token % 3 === 0 || (token > 256 && token < 500) ? 0 : random.uniform(token, "draft"),
  );
  const few = sparseLaw(Int32Array.of(1, 254, 255, 256, 511, 599), Float64Array.of(9, 1, 5, 1, 1, 9), SIZE);
  const other = sparseLaw(Int32Array.of(2, 4, 255, 599), Float64Array.of(1, 1, 7, 1), SIZE);
  const whole = denseLaw(row.slice());
  const laws = {
    dense: whole,
    "dense, after one rejection": whole.residual(few)!,
    "dense, after two rejections": whole.residual(few)!.residual(other)!,
    "dense, without its last token": whole.without(598)!.without(599)!,
    "dense, less a dense one": whole.residual(denseLaw(row.map((weight, token) => weight * (token % 7))))!,
    sparse: few,
    "sparse, after a rejection": few.residual(other)!,
  };

  test.each(Object.entries(laws))("%s: probabilities add up to 1", (_, law) => {
    let sum = 0;
    let last = -1;
    law.forEach((token, probability) => {
      expect(token).toBeGreaterThan(last);
      expect(law.probability(token)).toBe(probability);
      last = token;
      sum += probability;
    });
    expect(sum).toBeCloseTo(1, 12);
  });

  test.each(Object.entries(laws))("%s: uniforms far apart draw what the running sum says", (_, law) => {
    let sum = 0;
    law.forEach((token, probability) => {
      expect(law.draw(sum + probability / 2)).toBe(token);
      sum += probability;
    });
    for (const uniform of [0, 2 ** -53, ALMOST_ONE]) {
      expect(law.probability(law.draw(uniform))).toBeGreaterThan(0);
    }
  });

  test.each(Object.entries(laws))("%s: draws follow it", (_, law) => {
    const draws = 100_000;
    const counts = new Float64Array(SIZE);
    for (let index = 0; index < draws; index++) counts[law.draw(random.uniform(index, "token"))]++;
    let chiSquare = 0;
    let degrees = -1;
    for (const [token, count] of counts.entries()) {
      const expected = law.probability(token) * draws;
      if (expected === 0) expect(count).toBe(0);
      if (expected < 5) continue; // Too rare for the statistic; what is left out is less than one in a thousand.
      chiSquare += (count - expected) ** 2 / expected;
      degrees++;
    }
    expect(Math.abs(chiSquare - degrees) / Math.sqrt(2 * degrees)).toBeLessThan(4);
  });
});

test("a rejection of a whole row costs what the draft lists, not the row", () => {
  const size = 49_152;
  let reads = 0;
  const weights = new Proxy(new Float64Array(size).fill(1), {
    get: (target, key) => {
      if (typeof key === "string" && /^\d+$/.test(key)) reads++;
      const value = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const target = denseLaw(weights);
  const draft = sparseLaw(Int32Array.of(5, 4000, 30_000), Float64Array.of(2, 1, 1), size);
  reads = 0;
  const rest = target.residual(draft)!.residual(draft)!;
  expect(reads).toBeLessThan(20);
  expect(rest.probability(5)).toBe(0);
  expect(rest.probability(6)).toBeCloseTo(1 / (size - 3), 12);
});
