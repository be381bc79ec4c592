import fc from "fast-check";
import { expect, test } from "vitest";
import { nucleusEdge } from "./nucleus-edge.ts";

/** Logits with many ties, near ones and far ones. */
const logits = fc.array(
  fc.oneof(
    fc.integer({ min: -4, max: 4 }),
    fc.float({ min: Math.fround(-0.001), max: Math.fround(0.001), noNaN: true }),
    fc.float({ min: -1000, max: 1000, noNaN: true }),
  ),
  { minLength: 1, maxLength: 300 },
);

test("ends where a sort would, whatever share is wanted", () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 1e-6, max: 1, noNaN: true }), (values, share) => {
      const row = Float32Array.from(values);
      const weights = Float64Array.from(row, (logit) => 2 ** (logit / 100));
      const sorted = Array.from(row.keys()).sort((a, b) => row[b] - row[a]);
      const total = sorted.reduce((sum, at) => sum + weights[at], 0);

      let count = 0;
      for (let reached = 0; count < sorted.length && reached < share * total * (1 - 1e-12); count++) {
        reached += weights[sorted[count]];
      }
      const logit = row[sorted[count - 1]];
      const edge = nucleusEdge(row, weights, share * total);
      expect(edge.logit).toBe(logit);
      expect(edge.count).toBe(count - row.filter((other) => other > logit).length);
    }),
    { numRuns: 1000 },
  );
});

test("of equal tokens just enough stay", () => {
  const row = new Float32Array(10).fill(3);
  const weights = new Float64Array(10).fill(0.1);
  expect(nucleusEdge(row, weights, 0.3)).toEqual({ logit: 3, count: 3 });
  expect(nucleusEdge(row, weights, 0.31)).toEqual({ logit: 3, count: 4 });
  expect(nucleusEdge(row, weights, 1)).toEqual({ logit: 3, count: 10 });
});

test("ends behind the last token when the sum cannot be reached", () => {
  expect(nucleusEdge(Float32Array.of(1, 0, -1), Float64Array.of(0.5, 0.3, 0.1), 2)).toEqual({
    logit: -1,
    count: 1,
  });
});

test("logits one rounding step apart are told apart", () => {
  const next = 1 + 2 ** -23;
  const edge = nucleusEdge(Float32Array.of(1, next, -1e30), Float64Array.of(1, 1, 1e-30), 0.5);
  expect(edge).toEqual({ logit: next, count: 1 });
});
