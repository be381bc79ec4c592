import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Decoder, plain, speculative, TokenTree, type Verifier } from "@foretoken/core";
import { oracleDrafter, scriptedModel, textDrafter } from "@foretoken/testing";
import { expect, test } from "vitest";
import { measureQuality } from "./measure-quality.ts";
import { qualityTable } from "./quality-table.ts";
import type { QualityTask } from "./task.ts";

/** Counts up in letters: behind `c` comes `d`. */
const model = () =>
  scriptedModel({
    vocabularySize: 8,
    tokenizer: { chatTemplate: (messages) => messages.map(({ content }) => content).join("") },
    next: (tokens) => (tokens.at(-1)! + 1) % 8,
  });

/** Right when the answer is the wanted one. */
const task = (id: string, group: string, text: string, wanted: string): QualityTask => ({
  id,
  group,
  messages: [{ role: "user", content: text }],
  score: (answer) => (answer === wanted ? 1 : 0),
});
const tasks = [
  task("1", "early", "a", "bcdefg"),
  task("2", "early", "b", "cdefgh"),
  task("3", "late", "c", "defgha"),
  task("4", "late", "d", "never"),
];

/** Behind `e` it believes a draft of `a`, whatever the target thinks. */
function astray(): Decoder {
  const drafter = textDrafter({
    name: "astray",
    defaultLimit: 1,
    propose: (text) => TokenTree.chain(text.at(-1)!, text.at(-1) === 4 ? [0] : [], "astray"),
  });
  const gullible: Verifier = {
    name: "gullible",
    guarantee: () => ({ level: "altered", reasons: ["it believes drafts"] }),
    start: () => ({
      visit: async ({ trials, law }) =>
        trials[0] === undefined
          ? { kind: "emit", token: (await law()).mode() }
          : { kind: "descend", trial: trials[0] },
    }),
  };
  return speculative({ drafters: drafter, verifier: gullible });
}

test("scores, pairs and costs are those of the answers", async () => {
  const target = model();
  const { summary, decoders } = await measureQuality({
    model: target,
    decoders: [
      { name: "oracle", decoder: speculative({ drafters: oracleDrafter(target) }) },
      { name: "astray", decoder: astray() },
    ],
    tasks,
    maxTokens: 6,
  });
  expect(decoders.map(({ name, guarantee }) => [name, guarantee])).toEqual([
    ["plain", "identical"],
    ["oracle", "identical"],
    ["astray", "altered"],
  ]);
  const row = (decoder: string, group: string) =>
    summary.find((one) => one.decoder === decoder && one.group === group)!;
  expect(row("plain", "all")).toMatchObject({
    tasks: 4,
    score: { value: 0.75 },
    difference: { value: 0, interval: [0, 0] },
    sameText: 1,
    acceptedLength: 0,
    blockEfficiency: 1,
    rowsPerToken: 1,
    tokens: 6,
  });
  expect(row("oracle", "all")).toMatchObject({
    score: { value: 0.75 },
    difference: { value: 0 },
    sameText: 1,
  });
  expect(row("oracle", "all").blockEfficiency).toBeGreaterThan(1);
  expect(row("astray", "early").score).toEqual({ value: 0, interval: [0, 0] });
  expect(row("astray", "early").difference).toEqual({ value: -1, interval: [-1, -1] });
  expect(row("astray", "all").difference.value).toBe(-0.75);
  expect(row("astray", "all").difference.interval).toEqual([-1, -0.5]);
  expect(row("astray", "all").sameText).toBe(0);
});

test("seeds of one task are averaged, not counted as tasks", async () => {
  const target = scriptedModel({
    vocabularySize: 4,
    tokenizer: { chatTemplate: () => "a" },
    law: () => [0, 0.5, 0.5, 0],
  });
  const seeds = Array.from({ length: 40 }, (_, seed) => seed);
  const { summary, measurements } = await measureQuality({
    model: target,
    decoders: [],
    tasks: [task("1", "coin", "a", "b")],
    sampling: { temperature: 1 },
    seeds,
    maxTokens: 1,
  });
  expect(measurements).toHaveLength(40);
  const { tasks: count, score } = summary[0]!;
  expect(count).toBe(1);
  expect(score.value).toBeGreaterThan(0.25);
  expect(score.value).toBeLessThan(0.75);
  expect(score.interval).toEqual([score.value, score.value]);
});

test("tasks of one seed draw independently, decoders on one task alike", async () => {
  const target = scriptedModel({
    vocabularySize: 4,
    tokenizer: { chatTemplate: () => "a" },
    law: () => [0, 0.5, 0.5, 0],
  });
  const coins = Array.from({ length: 40 }, (_, index) => task(String(index), "coin", "a", "b"));
  const { measurements, summary } = await measureQuality({
    model: target,
    decoders: [{ name: "again", decoder: plain() }],
    tasks: coins,
    sampling: { temperature: 1 },
    maxTokens: 1,
  });
  const heads = measurements.filter(({ decoder, score }) => decoder === "plain" && score === 1).length;
  expect(heads).toBeGreaterThan(10);
  expect(heads).toBeLessThan(30);
  expect(summary.find(({ decoder }) => decoder === "again")!.sameText).toBe(1);
});

test("a decoder's own counts are read after every answer and added up", async () => {
  let calls = 0;
  const { summary, measurements } = await measureQuality({
    model: model(),
    decoders: [{ name: "counting", decoder: plain(), counts: () => ({ calls: ++calls }) }],
    tasks,
    maxTokens: 3,
  });
  expect(measurements.filter(({ counts }) => counts !== undefined)).toHaveLength(4);
  expect(summary.at(-1)!.counts).toEqual({ calls: 1 + 2 + 3 + 4 });
  expect(qualityTable(summary)).toMatch(/counting +mean .* calls 10$/m);
});

test("a run that broke off goes on behind its last task, and another run's file is refused", async () => {
  const resume = join(await mkdtemp(join(tmpdir(), "foretoken-quality-")), "partial.json");
  const target = model();
  const options = { model: target, decoders: [], tasks, maxTokens: 3, resume };
  const broken = measureQuality({
    ...options,
    onProgress: ({ done }) => {
      if (done === 2) throw new Error("the machine was switched off");
    },
  });
  await expect(broken).rejects.toThrow("switched off");
  const asked: string[] = [];
  const { measurements } = await measureQuality({
    ...options,
    onProgress: ({ task }) => asked.push(task.id),
  });
  expect(asked).toEqual(["3", "4"]);
  expect(measurements.map(({ task }) => task)).toEqual(["1", "2", "3", "4"]);
  await expect(measureQuality({ ...options, maxTokens: 4 })).rejects.toMatchObject({
    code: "INVALID_OPTION",
  });
});

test("an aborted answer is not scored", async () => {
  const controller = new AbortController();
  const run = measureQuality({
    model: model(),
    decoders: [],
    tasks,
    signal: controller.signal,
    onProgress: ({ done }) => done === 1 && controller.abort(),
  });
  await expect(run).rejects.toThrow("aborted");
});

test("names and ids must differ, and there must be tasks", async () => {
  const run = (options: object) => measureQuality({ model: model(), decoders: [], tasks, ...options });
  await expect(run({ decoders: [{ name: "plain", decoder: plain() }] })).rejects.toThrow(/name plain/);
  await expect(run({ tasks: [tasks[0], tasks[0]] })).rejects.toThrow(/id 1/);
  await expect(run({ tasks: [] })).rejects.toMatchObject({ code: "INVALID_OPTION" });
});
