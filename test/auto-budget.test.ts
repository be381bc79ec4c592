import { type RecordedAnswer, replay } from "@foretoken/bench";
import { autoBudget, fixedBudget, generate, plain, seededRandom, speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { rsd } from "@foretoken/rsd";
import { speculativeSampling } from "@foretoken/speculative-sampling";
import { randomLaw, scriptedModel, scriptedSource, testDecoder } from "@foretoken/testing";
import { tokenRecycling } from "@foretoken/token-recycling";
import { expect, test } from "vitest";

const tables = () => [promptLookup({ minProbability: 0 }), tokenRecycling()];

testDecoder(
  "tables under an automatic budget",
  () => speculative({ drafters: tables(), budget: autoBudget() }),
  { draws: 2_000 },
);

const sourceFor = (vocabularySize: number) =>
  scriptedSource({ law: randomLaw({ seed: 41, vocabularySize, order: 2, holes: 0.2 }) });

testDecoder(
  "drawn trees and a table under an automatic budget",
  ({ vocabularySize }) =>
    speculative({
      drafters: [rsd({ source: sourceFor(vocabularySize) }), promptLookup({ minProbability: 0 })],
      budget: autoBudget(),
    }),
  { draws: 2_000 },
);

/** What rows of a small model cost on a processor, and on a device that computes in tiles of four rows. */
const PRICES = {
  line: [1, 1.15, 1.3, 1.45, 1.6, 1.75, 1.9, 2.05],
  stairs: [1, 1, 1, 1.2, 2, 2, 2, 2.2, 3, 3, 3, 3.2, 4, 4, 4, 4.2],
};

/** An answer that never says anything twice, one that repeats itself, and one that does both in turn. */
const answers: readonly RecordedAnswer[] = [
  { group: "novel", prompt: [1, 2], answer: Array.from({ length: 120 }, (_, at) => 10 + at) },
  { group: "loop", prompt: [1, 2], answer: Array.from({ length: 120 }, (_, at) => 10 + (at % 7)) },
  {
    group: "both",
    prompt: [1, 2],
    answer: Array.from({ length: 120 }, (_, at) => (at % 40 < 20 ? 10 + (at % 20) : 200 + at)),
  },
  {
    // After each token one of four others: tables draft all the time, and are wrong most of the time.
    group: "misleading",
    prompt: [1, 2],
    answer: Array.from({ length: 120 }, (_, at) => 10 + Math.floor(8 * seededRandom(3).uniform(at, "token"))),
  },
];

test.each(Object.entries(PRICES))(
  "at fixed prices, along a %s, never slower than plain and near the best fixed size",
  async (_, prices) => {
    const auto = () => speculative({ drafters: tables(), budget: autoBudget() });
    const fixed = (nodes: number) => speculative({ drafters: tables(), budget: fixedBudget({ nodes }) });
    const sizes = [0, 1, 2, 3, 4, 6, 8];
    const rows = await replay({
      answers,
      decoders: {
        plain: plain(),
        auto: auto(),
        again: auto(),
        ...Object.fromEntries(sizes.map((size) => [`${size}`, fixed(size)])),
      },
      prices,
    });
    const speedUp = (decoder: string, group: string) =>
      rows.find((row) => row.decoder === decoder && row.group === group)!.pricedSpeedUp;
    for (const { group } of answers) {
      const best = Math.max(...sizes.map((size) => speedUp(`${size}`, group)));
      expect(speedUp("auto", group), group).toBeGreaterThanOrEqual(0.98);
      expect(speedUp("auto", group), group).toBeGreaterThanOrEqual(0.9 * best);
      expect(speedUp("again", group), group).toBe(speedUp("auto", group));
    }
  },
);

test("prices decide and no clock does: the same seed gives the same text and the same rows", async () => {
  const model = scriptedModel({ vocabularySize: 6, law: randomLaw({ seed: 8, vocabularySize: 6 }) });
  const decoder = () =>
    speculative({ drafters: speculativeSampling({ source: sourceFor(6) }), budget: autoBudget() });
  const ask = () =>
    generate(model, { prompt: [1, 2, 3], decoder: decoder(), temperature: 1, seed: 5, maxTokens: 60 });
  const [first, second] = [await ask(), await ask()];
  expect(second.tokens).toEqual(first.tokens);
  expect(second.report.rows).toBe(first.report.rows);
});

test("the report says what was chosen", async () => {
  const model = scriptedModel({ vocabularySize: 4, next: (tokens) => (tokens.at(-1)! + 1) % 4 });
  const decoder = speculative({ drafters: promptLookup(), budget: autoBudget() });
  const { report } = await generate(model, { prompt: [0, 1, 2, 3, 0, 1], decoder, maxTokens: 30 });
  expect(report.choices).toEqual([
    expect.stringMatching(/^\d+ of \d+ passes verified nothing$/),
    expect.stringMatching(/^prompt-lookup: \d+ of \d+ drafted nodes were worth a row, \d+ became text$/),
    expect.stringMatching(/^passes of 2, 4 and 8 rows cost /),
  ]);
});
