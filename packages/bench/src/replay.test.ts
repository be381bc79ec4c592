import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode, plain, speculative, TokenTree } from "@foretoken/core";
import { randomLaw, scriptedModel, textDrafter } from "@foretoken/testing";
import { expect, test } from "vitest";
import { recordAnswer } from "./record-answer.ts";
import { type RecordedAnswer, readRecordedAnswers } from "./recorded-answer.ts";
import { recordedModel } from "./recorded-model.ts";
import { type ReplayRow, replay, replayTable } from "./replay.ts";

const answers: readonly RecordedAnswer[] = [
  { group: "count", prompt: [1, 2], answer: [3, 4, 5, 6, 7, 8, 9] },
  { group: "repeat", prompt: [1], answer: [1, 1, 1, 1, 1, 1, 1] },
];

/** Drafts that the next token is one larger than the last. */
const counting = (length: number) =>
  speculative({
    drafters: textDrafter({
      name: "counting",
      defaultLimit: length,
      propose: (text, limit) => {
        const root = text.at(-1)!;
        const next = Array.from({ length: Math.min(length, limit) }, (_, at) => Math.min(9, root + 1 + at));
        return TokenTree.chain(root, next, "counting");
      },
    }),
  });

const figures = (rows: readonly ReplayRow[]) =>
  rows.map(({ decoder, group, blockEfficiency, pricedSpeedUp }) => [
    decoder,
    group,
    blockEfficiency,
    pricedSpeedUp,
  ]);

test("counts passes and prices them, by group and in geometric mean", async () => {
  const rows = await replay({
    answers,
    decoders: { plain: plain(), counting: counting(1) },
    prices: [1, 1.25],
  });
  // Six tokens behind the first. Counting: 3 passes of two rows, all accepted. Repeat: 6 passes, the last without room.
  const repeat = 6 / (5 * 1.25 + 1);
  expect(figures(rows)).toEqual([
    ["plain", "count", 1, 1],
    ["plain", "repeat", 1, 1],
    ["plain", "all", 1, 1],
    ["counting", "count", 2, 6 / 3.75],
    ["counting", "repeat", 1, repeat],
    ["counting", "all", expect.closeTo(Math.SQRT2, 12), expect.closeTo(Math.sqrt(1.6 * repeat), 12)],
  ]);
  expect(rows[3]!.acceptanceRate).toBe(1);
  expect(rows[4]!.acceptanceRate).toBe(0);
  expect(rows[2]!.draftMs).toBe(0);
  expect(rows[5]!.draftMs).toBeGreaterThan(0);
  expect(replayTable(rows).split("\n")).toHaveLength(3);
});

test("rows beyond the price list go on at its last step", async () => {
  const [row] = await replay({
    answers: answers.slice(0, 1),
    decoders: { counting: counting(5) },
    prices: [1, 1.5],
  });
  expect(row!.blockEfficiency).toBe(6);
  expect(row!.pricedSpeedUp).toBe(6 / 3.5);
});

test("stops where it was told to, and leaves out answers of one token", async () => {
  const one = { group: "short", prompt: [1], answer: [2] };
  const rows = await replay({
    answers: [...answers.slice(0, 1), one],
    decoders: { plain: plain() },
    maxTokens: 3,
  });
  expect(figures(rows)).toEqual([
    ["plain", "count", 1, 1],
    ["plain", "all", 1, 1],
  ]);
});

test("a recorded model has candidates on the text, and those behind the same token off it", async () => {
  const topK = [
    [2, 7],
    [3, 8],
    [4, 9],
    [5, 6],
  ];
  const model = recordedModel({ group: "g", prompt: [1, 2], answer: [3, 4], topK }, { vocabularySize: 10 });
  const session = model.createSession();
  session.commit((await session.forward([{ token: 1 }, { token: 2 }])).rows);
  // On the text, off it behind a token of the text, and off it behind one that is not.
  const pass = await session.forward([{ token: 3 }, { token: 1, parent: -1 }, { token: 6, parent: -1 }]);
  expect(await pass.argmax(0)).toBe(4);
  const candidates = await Promise.all([0, 1, 2].map((row) => pass.topK(row, 1)));
  expect(candidates.map(({ ids }) => [...ids])).toEqual([[4], [2], []]);
  expect(() => pass.logits(0)).toThrow(/no logits/);
});

test("an answer of a model is recorded with its candidates, and replays", async () => {
  const model = scriptedModel({
    law: randomLaw({ seed: 3, vocabularySize: 8, order: 1 }),
    tokenizer: false,
  });
  const recorded = await recordAnswer(model, { prompt: [1, 2], group: "g", maxTokens: 20, topK: 3 });
  const text = [...recorded.prompt, ...recorded.answer];
  expect(recorded.topK).toHaveLength(text.length - 1);
  recorded.answer.forEach((token, at) => {
    expect(recorded.topK![recorded.prompt.length + at - 1]![0]).toBe(token);
  });
  expect(model.inspection.liveSessions).toBe(0);
  const [row] = await replay({ answers: [recorded], decoders: { plain: plain() } });
  expect(row!.blockEfficiency).toBe(1);
});

test("a file of answers is read by line, and a broken line is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "answers-"));
  const path = join(folder, "answers.jsonl");
  await writeFile(path, `${answers.map((answer) => JSON.stringify(answer)).join("\n")}\n\n`);
  expect(await readRecordedAnswers(path)).toEqual(answers);
  for (const line of [
    "{}",
    "{",
    '{"group":"g","prompt":[],"answer":[1]}',
    '{"group":"g","prompt":[1],"answer":["a"]}',
  ]) {
    await writeFile(path, `${JSON.stringify(answers[0])}\n${line}\n`);
    const error = await readRecordedAnswers(path).catch((caught: unknown) => caught);
    expect(hasCode(error, "INVALID_OPTION")).toBe(true);
    expect((error as Error).message).toContain("Line 2");
  }
  await rm(folder, { recursive: true });
  await expect(readRecordedAnswers(path)).rejects.toThrow(path);
});
