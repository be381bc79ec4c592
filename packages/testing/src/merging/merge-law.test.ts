import { denseLaw, mergeTrees, rejection, seededRandom } from "@foretoken/core";
import { expect, test } from "vitest";
import { compareLaw, countTexts, fitsLaw } from "../law/compare-law.ts";
import { exactLaw } from "../law/exact-law.ts";
import { chosenTree, drawnTree, mergedTree } from "../suites/drafted-trees.ts";
import { verifiedText } from "../suites/verified-text.ts";
import { wrongMerges } from "./wrong-merges.ts";

/** Three siblings drawn without replacement beside one or two chosen ones, behind every text. */
const DRAFTS = [
  chosenTree(3, 2),
  drawnTree(() => denseLaw(Float64Array.of(0.55, 0.25, 0.15, 0.05)), [3], false),
];
const TARGET = denseLaw(Float64Array.of(0.15, 0.2, 0.25, 0.4));

async function comparisonWith(merge: typeof mergeTrees, draws: number) {
  const draftBehind = mergedTree(DRAFTS, merge);
  const verification = rejection().start();
  const law = exactLaw({
    logitsOf: () => [0, 1, 2, 3].map((token) => TARGET.logProbability(token)),
    prompt: [0],
    length: 2,
    temperature: 1,
  });
  const draw = (seed: number) =>
    verifiedText({
      verification,
      lawBehind: () => TARGET,
      draftBehind,
      prompt: [0],
      length: 2,
      random: seededRandom(seed),
    });
  return compareLaw(await countTexts(draw, draws), law);
}

test("merging keeps the law, 100,000 draws", async () => {
  const comparison = await comparisonWith(mergeTrees, 100_000);
  expect(fitsLaw(comparison), JSON.stringify(comparison)).toBe(true);
});

for (const [rule, merge] of Object.entries(wrongMerges)) {
  test(`the law test catches merging with: ${rule}`, async () => {
    const comparison = await comparisonWith(merge, 30_000);
    expect(fitsLaw(comparison)).toBe(false);
    expect(comparison.totalVariation).toBeGreaterThan(3 * comparison.expectedVariation);
  });
}
