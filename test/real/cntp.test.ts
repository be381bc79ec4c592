import { cntp, type TrialsReport } from "@foretoken/cntp";
import { generate, plain, speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

const QUESTION = [{ role: "user", content: "Write two short sentences about the sea." }];
const OPTIONS = { messages: QUESTION, maxTokens: 24, temperature: 0.8, topP: 0.9, seed: 4 };

test("together, in turn and drafted, a seed writes one text, and no row is left", async () => {
  const texts: string[] = [];
  for (const options of [
    { execution: "forest" },
    { execution: "sequential" },
    { decoder: speculative({ drafters: promptLookup() }) },
  ] as const) {
    const trials: TrialsReport[] = [];
    const decoder = cntp({ maxTrials: 4, onTrials: (report) => trials.push(report), ...options });
    const { text, report } = await generate(model, { ...OPTIONS, decoder });
    texts.push(text);
    expect(trials.length).toBeGreaterThan(0);
    expect(report.rows).toBeGreaterThan(report.tokens);
    expect(model.cacheUse.rows).toBe(0);
  }
  expect(new Set(texts).size).toBe(1);
}, 120_000);

test("trials end at the marks of the model's own vocabulary", async () => {
  const marks: string[] = [];
  const decoder = cntp({
    maxTrials: 3,
    onTrials: ({ trials }) => {
      for (const { tokens } of trials) marks.push(model.tokenizer.decode([tokens.at(-1)!]));
    },
  });
  await generate(model, { ...OPTIONS, decoder });
  const ended = marks.filter((mark) => /^[.,\n?!:;)\]}]$/.test(mark));
  expect(ended.length).toBeGreaterThan(marks.length / 2);
}, 120_000);

test("at temperature 0, and with one trial, the text is plain decoding's", async () => {
  const greedy = { ...OPTIONS, temperature: 0 };
  const [expected, sampled] = [
    await generate(model, { ...greedy, decoder: plain() }),
    await generate(model, { ...OPTIONS, decoder: plain() }),
  ];
  expect((await generate(model, { ...greedy, decoder: cntp() })).tokens).toEqual(expected.tokens);
  expect((await generate(model, { ...OPTIONS, decoder: cntp({ maxTrials: 1 }) })).tokens).toEqual(
    sampled.tokens,
  );
}, 120_000);
