import type { TokenId } from "@foretoken/core";
import { expect } from "vitest";
import { type TextLaw, textKey } from "./exact-law.ts";

/** How far counted texts are from a law. */
export interface LawComparison {
  readonly draws: number;
  /** `(χ² - dof) / √(2·dof)`: about standard normal when the law is right. */
  readonly deviation: number;
  readonly degreesOfFreedom: number;
  /** Half the sum of absolute differences between shares and probabilities. */
  readonly totalVariation: number;
  /** What that is on average when the law is right, from the noise of so many draws. */
  readonly expectedVariation: number;
  /** Texts that were drawn although the law gives them no probability. */
  readonly impossible: readonly string[];
}

/** Cells with a smaller expected count are pooled: the chi-square law is poor there. */
const LEAST_EXPECTED = 10;

/**
 * Draws texts with seeds 0 to `draws - 1` and counts them.
 * @param draw - The text that a seed gives; only its first tokens when the law knows only those.
 */
export async function countTexts(
  draw: (seed: number) => Promise<readonly TokenId[]> | readonly TokenId[],
  draws: number,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < draws; seed++) {
    const key = textKey(await draw(seed));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Compares counted texts with the law they should have. */
export function compareLaw(counts: ReadonlyMap<string, number>, law: TextLaw): LawComparison {
  const draws = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let chiSquare = 0;
  let cells = 0;
  let totalVariation = 0;
  let expectedVariation = 0;
  const pool = { expected: 0, observed: 0 };
  const addCell = (expected: number, observed: number) => {
    chiSquare += (observed - expected) ** 2 / expected;
    cells++;
  };
  for (const [key, probability] of law) {
    const expected = probability * draws;
    const observed = counts.get(key) ?? 0;
    totalVariation += Math.abs(observed - expected) / draws / 2;
    expectedVariation += Math.sqrt((2 * probability * (1 - probability)) / (Math.PI * draws)) / 2;
    if (expected >= LEAST_EXPECTED) {
      addCell(expected, observed);
    } else {
      pool.expected += expected;
      pool.observed += observed;
    }
  }
  if (pool.expected >= 1) addCell(pool.expected, pool.observed);
  const impossible = [...counts.keys()].filter((key) => !law.has(key));
  for (const key of impossible) totalVariation += counts.get(key)! / draws / 2;
  const degreesOfFreedom = Math.max(0, cells - 1);
  return {
    draws,
    deviation: degreesOfFreedom === 0 ? 0 : (chiSquare - degreesOfFreedom) / Math.sqrt(2 * degreesOfFreedom),
    degreesOfFreedom,
    totalVariation,
    expectedVariation,
    impossible,
  };
}

/** Whether the counts may come from the law: chi-square within four deviations, on both sides, and nothing impossible. */
export function fitsLaw({
  deviation,
  impossible,
  totalVariation,
  expectedVariation,
}: LawComparison): boolean {
  // Rare texts are pooled, so that the total variation sees what the chi-square does not.
  return impossible.length === 0 && Math.abs(deviation) < 4 && totalVariation < 2 * expectedVariation + 1e-9;
}

/** Options of {@link expectLaw}. */
export interface ExpectLawOptions {
  /** Default 100,000. */
  readonly draws?: number;
}

/**
 * Fails the test unless texts drawn with many seeds have the given law.
 * @param draw - As in {@link countTexts}.
 */
export async function expectLaw(
  draw: (seed: number) => Promise<readonly TokenId[]> | readonly TokenId[],
  law: TextLaw,
  { draws = 100_000 }: ExpectLawOptions = {},
): Promise<void> {
  const comparison = compareLaw(await countTexts(draw, draws), law);
  expect(fitsLaw(comparison), `The texts do not have the exact law: ${JSON.stringify(comparison)}`).toBe(
    true,
  );
}
