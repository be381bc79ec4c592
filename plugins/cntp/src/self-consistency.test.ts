import { expect, test } from "vitest";
import { selfConsistency } from "./self-consistency.ts";

const byText = (text: string) => text.match(/\d+/)?.[0];
const texts = ["it is 7", "no idea", "12", "so 7", "12 apples", "hm"];
const run = async (seed: number) => texts[seed]!;

test("the most frequent answer wins, and what has no answer does not vote", async () => {
  const { answer, votes, abstained, results } = await selfConsistency({ run, runs: 4, extract: byText });
  expect(answer).toBe("7");
  expect(votes).toEqual([
    { answer: "7", count: 2 },
    { answer: "12", count: 1 },
  ]);
  expect(abstained).toBe(1);
  expect(results).toEqual(texts.slice(0, 4));
});

test("among equals the answer of the lowest seed wins", async () => {
  expect((await selfConsistency({ run, runs: 5, extract: byText })).answer).toBe("7");
  expect((await selfConsistency({ run, runs: 4, seed: 2, extract: byText })).answer).toBe("12");
});

test("without any answer there is none", async () => {
  const { answer, votes, abstained } = await selfConsistency({ run, runs: 6, extract: () => undefined });
  expect([answer, votes, abstained]).toEqual([undefined, [], 6]);
});

test.each([{ runs: 0 }, { runs: Number.NaN }, { runs: 3, atOnce: 0 }])("refuses %j", async (options) => {
  const call = selfConsistency({ run, extract: byText, ...options });
  await expect(call).rejects.toMatchObject({ code: "INVALID_OPTION" });
});

test("seeds follow the first one, and so many run at once", async () => {
  let running = 0;
  let most = 0;
  const seeds: number[] = [];
  await selfConsistency({
    runs: 7,
    seed: 40,
    atOnce: 3,
    extract: () => 1,
    run: async (seed) => {
      seeds.push(seed);
      most = Math.max(most, ++running);
      await undefined;
      running--;
    },
  });
  expect([seeds, most]).toEqual([[40, 41, 42, 43, 44, 45, 46], 3]);
});
