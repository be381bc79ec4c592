import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ErrorCode, hasCode } from "./errors.ts";
import { argmax, entropy, logProbabilitiesOf, logSumExp, rankAndMass, topK } from "./reductions.ts";

const NEVER = Number.NEGATIVE_INFINITY;

/** Rows with many ties and a few impossible tokens, at least one possible. */
const rows = fc
  .array(
    fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.float({ min: -30, max: 30, noNaN: true }),
      fc.constant(NEVER),
    ),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((logits) => Float32Array.from(logits))
  .filter((row) => row.some((logit) => logit > NEVER));

function ranked(row: Float32Array): number[] {
  return Array.from(row.keys()).sort((a, b) => (row[a] === row[b] ? a - b : row[b] > row[a] ? 1 : -1));
}

function softmax(row: Float32Array): number[] {
  const most = Math.max(...row);
  const masses = Array.from(row, (logit) => Math.exp(logit - most));
  const total = masses.reduce((sum, mass) => sum + mass);
  return masses.map((mass) => mass / total);
}

function codeOf(run: () => unknown): ErrorCode | undefined {
  try {
    run();
  } catch (error) {
    if (hasCode(error)) return error.code;
    throw error;
  }
}

test("argmax and the largest k are a sort's, the lower id first among equals", () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 45 }), (row, k) => {
      expect(argmax(row)).toBe(ranked(row)[0]);
      expect([...topK(row, k).ids]).toEqual(ranked(row).slice(0, k));
    }),
  );
});

test("log-probabilities, entropy, rank and mass are the softmax's", () => {
  fc.assert(
    fc.property(rows, fc.nat(), (row, pick) => {
      const shares = softmax(row);
      const id = pick % row.length;
      const order = ranked(row);
      const before = order.slice(0, order.indexOf(id));

      expect(logSumExp(row)).toBeCloseTo(Math.log(Array.from(row, Math.exp).reduce((sum, x) => sum + x)), 9);
      expect(Math.exp(logProbabilitiesOf(row, [id])[0])).toBeCloseTo(shares[id], 10);
      expect(entropy(row)).toBeCloseTo(
        shares.reduce((sum, share) => sum - (share === 0 ? 0 : share * Math.log(share)), 0),
        9,
      );
      const { rank, mass } = rankAndMass(row, id);
      expect(rank).toBe(before.length);
      expect(mass).toBeCloseTo(
        before.reduce((sum, token) => sum + shares[token], 0),
        10,
      );
      const { ids, logProbabilities } = topK(row, row.length);
      for (const [index, token] of ids.entries()) {
        expect(Math.exp(logProbabilities[index])).toBeCloseTo(shares[token], 10);
      }
    }),
  );
});

describe("A9: the ends of what a row may hold", () => {
  const reductions = [logSumExp, entropy, (row: Float32Array) => topK(row, 2)];

  test("NaN at any place is an error that names the token", () => {
    for (let token = 0; token < 11; token++) {
      const row = new Float32Array(11).fill(1);
      row[token] = Number.NaN;
      for (const reduce of [argmax, ...reductions]) expect(codeOf(() => reduce(row))).toBe("INVALID_LOGITS");
      expect(() => argmax(row)).toThrow(`token ${token} `);
    }
  });

  test("a row without a possible token is an error", () => {
    const row = new Float32Array(9).fill(NEVER);
    for (const reduce of [argmax, ...reductions]) expect(codeOf(() => reduce(row))).toBe("EMPTY_LAW");
  });

  test("Infinity wins the argmax and has no log-probability", () => {
    const row = Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 3);
    expect(argmax(row)).toBe(2);
    for (const reduce of reductions) expect(codeOf(() => reduce(row))).toBe("INVALID_LOGITS");
  });

  test("one possible token has probability 1", () => {
    const row = Float32Array.of(NEVER, NEVER, -7, NEVER, NEVER);
    expect(topK(row, 2)).toEqual({ ids: Int32Array.of(2, 0), logProbabilities: Float64Array.of(0, NEVER) });
    expect(entropy(row)).toBe(0);
    expect(rankAndMass(row, 2)).toEqual({ rank: 0, mass: 0 });
  });
});
