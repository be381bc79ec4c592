import { expect, test } from "vitest";
import type { Measurement } from "./run-bench.ts";
import { ALL_GROUPS, summarize } from "./summarize.ts";
import { summaryTable } from "./summary-table.ts";

function measured(
  contestant: string,
  prompt: string,
  group: string,
  tokensPerSecond: number,
  more = {},
): Measurement {
  return {
    contestant,
    prompt,
    group,
    repeat: 0,
    tokens: [1, 2, 3, 4, 5],
    promptTokens: 10,
    finish: "length",
    tokensPerSecond,
    timeToFirstTokenMs: 20,
    targetPasses: 4,
    ...more,
  };
}

const plainAndDraft = [{ name: "plain" }, { name: "draft" }];

function rowOf(rows: ReturnType<typeof summarize>, contestant: string, group: string) {
  return rows.find((row) => row.contestant === contestant && row.group === group)!;
}

test("speed-ups are paired by prompt, not a ratio of averages", () => {
  // Twice as fast on the slow prompt, half as fast on the fast one: no gain, whatever the averages say.
  const rows = summarize(plainAndDraft, [
    measured("plain", "a", "chat", 10),
    measured("draft", "a", "chat", 20),
    measured("plain", "b", "chat", 1000),
    measured("draft", "b", "chat", 500),
  ]);
  expect(rowOf(rows, "draft", "chat").speedUp.ratio).toBeCloseTo(1, 12);
});

test("groups count alike, however many prompts they hold", () => {
  const rows = summarize(plainAndDraft, [
    ...["a", "b", "c"].flatMap((id) => [
      measured("plain", id, "chat", 100),
      measured("draft", id, "chat", 200),
    ]),
    measured("plain", "d", "qa", 100),
    measured("draft", "d", "qa", 50),
  ]);
  expect(rowOf(rows, "draft", "chat").speedUp.ratio).toBeCloseTo(2, 12);
  expect(rowOf(rows, "draft", "qa").speedUp.ratio).toBeCloseTo(0.5, 12);
  expect(rowOf(rows, "draft", ALL_GROUPS).speedUp.ratio).toBeCloseTo(1, 12);
});

test("repeats count as their median", () => {
  const repeats = [90, 100, 500].map((speed, repeat) => ({
    ...measured("draft", "a", "chat", speed),
    repeat,
  }));
  const rows = summarize(plainAndDraft, [measured("plain", "a", "chat", 50), ...repeats]);
  expect(rowOf(rows, "draft", "chat").speedUp.ratio).toBeCloseTo(2, 12);
});

test("a losing case stays in and is shown", () => {
  const rows = summarize(plainAndDraft, [
    measured("plain", "a", "chat", 100),
    measured("draft", "a", "chat", 40),
  ]);
  expect(rowOf(rows, "draft", "chat").speedUp.ratio).toBeCloseTo(0.4, 12);
  expect(summaryTable(rows)).toContain("0.40 [0.40, 0.40]");
});

test("block efficiency adds up tokens behind the first and passes", () => {
  const rows = summarize(plainAndDraft, [
    measured("plain", "a", "chat", 100),
    measured("draft", "a", "chat", 100, { targetPasses: 2 }),
    measured("plain", "b", "chat", 100),
    measured("draft", "b", "chat", 100, { targetPasses: 3 }),
  ]);
  expect(rowOf(rows, "draft", "chat").blockEfficiency).toBeCloseTo(8 / 5, 12);
  expect(rowOf(rows, "plain", "chat").blockEfficiency).toBe(1);
});

test("outputs are compared with the reference token for token", () => {
  const rows = summarize(plainAndDraft, [
    measured("plain", "a", "chat", 100),
    measured("draft", "a", "chat", 100),
    measured("plain", "b", "chat", 100),
    measured("draft", "b", "chat", 100, { tokens: [1, 2, 3, 4, 6] }),
    measured("plain", "c", "chat", 100),
    measured("draft", "c", "chat", 100, { tokens: [1, 2, 3, 4] }),
  ]);
  expect(rowOf(rows, "draft", "chat").identical).toBeCloseTo(1 / 3, 12);
});

test("an answer of one token has no speed but counts for the rest", () => {
  const short = { tokens: [2], targetPasses: 0 };
  const rows = summarize(plainAndDraft, [
    measured("plain", "a", "chat", 0, short),
    measured("draft", "a", "chat", 0, short),
    measured("plain", "b", "chat", 100),
    measured("draft", "b", "chat", 150),
  ]);
  const row = rowOf(rows, "draft", "chat");
  expect(row.prompts).toBe(2);
  expect(row.speedUp.ratio).toBeCloseTo(1.5, 12);
  expect(row.identical).toBe(1);
});

test("a peer's speculative mode is compared with the peer's own plain mode", () => {
  const rows = summarize(
    [{ name: "plain" }, { name: "peer" }, { name: "peer lookup", baseline: "peer" }],
    [
      measured("plain", "a", "chat", 200),
      measured("peer", "a", "chat", 100, { tokens: [9], targetPasses: undefined }),
      measured("peer lookup", "a", "chat", 50, { tokens: [9], targetPasses: undefined }),
    ],
  );
  const row = rowOf(rows, "peer lookup", "chat");
  expect(row.speedUp.ratio).toBeCloseTo(0.25, 12);
  expect(row.ownSpeedUp?.ratio).toBeCloseTo(0.5, 12);
  expect(row.identical).toBe(1);
  expect(row.blockEfficiency).toBeUndefined();
  expect(summaryTable(rows)).toContain("over own plain");
});
