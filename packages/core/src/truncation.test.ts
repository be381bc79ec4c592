import { describe, expect, test } from "vitest";
import { seededRandom } from "./philox.ts";
import { argmax } from "./reductions.ts";
import { type Truncation, truncatedLaw } from "./truncation.ts";

const V = 3001;
const random = seededRandom(11);

function gaussian(row: number, token: number): number {
  let sum = -6;
  for (let index = 0; index < 12; index++) sum += random.uniform(row, "draft", token * 12 + index);
  return sum;
}

const bell = Float32Array.from({ length: V }, (_, token) => gaussian(0, token) * 3);

/** Rows of the shapes that models give, and some that they should not. */
const rows = {
  "sure of one token": bell.with(1234, 30),
  "torn between a few": bell.map((logit, token) => (token % 500 === 7 ? 14 + token / 5000 : logit)),
  broad: bell,
  flat: bell.map((logit) => logit / 100),
  "full of ties": bell.map(Math.round),
  "all equal": new Float32Array(V).fill(-2.5),
  "mostly banned": bell.map((logit, token) => (token % 100 === 0 ? logit : Number.NEGATIVE_INFINITY)),
};

/** The documented rules, by sorting everything. */
function keptBySorting(
  row: Float32Array,
  { temperature, topK, topP, minP }: Truncation,
): Map<number, number> {
  const order = Array.from(row.keys())
    .filter((token) => row[token] > Number.NEGATIVE_INFINITY)
    .sort((a, b) => row[b] - row[a] || a - b);
  const weight = (token: number) => Math.exp((row[token] - row[order[0]]) / temperature);
  const best = topK > 0 ? order.slice(0, topK) : order;
  const mass = best.reduce((sum, token) => sum + weight(token), 0);
  let reached = 0;
  const nucleus = best.filter((token, rank) => {
    const isNeeded = topP === 1 || rank === 0 || reached < topP * mass * (1 - 1e-12);
    reached += weight(token);
    return isNeeded;
  });
  const kept = nucleus.filter((token) => weight(token) >= minP && weight(token) > 1e-300);
  const total = kept.reduce((sum, token) => sum + weight(token), 0);
  return new Map(kept.sort((a, b) => a - b).map((token) => [token, weight(token) / total]));
}

const all = { temperature: 1, topK: 0, topP: 1, minP: 0 };
const truncations: Truncation[] = [
  all,
  { ...all, temperature: 0.8, topP: 0.95 },
  { ...all, topP: 0.5 },
  { ...all, topP: 0.9999 },
  { ...all, topP: 1e-9 },
  { ...all, temperature: 0.3, topP: 1 - 1e-8 },
  { ...all, temperature: 1e9, topP: 0.5 },
  { ...all, temperature: 1e-9, topP: 0.9 },
  { ...all, topK: 1 },
  { ...all, topK: 40 },
  { ...all, topK: V - 1, topP: 0.9 },
  { ...all, topK: 10 * V },
  { ...all, minP: 0.05 },
  { ...all, minP: 1 },
  { ...all, temperature: 0.1, minP: 1e-30 },
  { temperature: 0.7, topK: 50, topP: 0.9, minP: 0.1 },
  { temperature: 2, topK: 0, topP: 0.99, minP: 0.001 },
];

describe.each(Object.entries(rows))("a row that is %s", (_, row) => {
  test.each(truncations)("keeps with %o what sorting keeps", (truncation) => {
    const expected = keptBySorting(row, truncation);
    const law = truncatedLaw(row, argmax(row), truncation);
    const tokens: number[] = [];
    let error = 0;
    law.forEach((token, probability) => {
      tokens.push(token);
      error = Math.max(error, Math.abs(probability / expected.get(token)! - 1));
    });
    expect(tokens).toEqual([...expected.keys()]);
    expect(error).toBeLessThan(1e-10);
  });
});

test("a law is not changed by the next one", () => {
  const truncation = { ...all, topP: 0.9 };
  const law = truncatedLaw(rows.broad, argmax(rows.broad), truncation);
  const before = Array.from({ length: V }, (_, token) => law.probability(token));
  truncatedLaw(rows.flat, argmax(rows.flat), truncation);
  expect(Array.from({ length: V }, (_, token) => law.probability(token))).toEqual(before);
});

test("A9: top-p at a partial sum keeps exactly that many, just above it one more", () => {
  const row = new Float32Array(10);
  const count = (topP: number) => {
    let kept = 0;
    truncatedLaw(row, 0, { ...all, topP }).forEach(() => {
      kept++;
    });
    return kept;
  };
  for (let tenths = 1; tenths < 10; tenths++) {
    expect(count(tenths / 10)).toBe(tenths);
    expect(count(tenths / 10 + 1e-6)).toBe(tenths + 1);
  }
});
