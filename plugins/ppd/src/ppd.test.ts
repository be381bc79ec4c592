import { autoBudget, fixedBudget, generate, type Model, plain, speculative } from "@foretoken/core";
import type { TrainedPart } from "@foretoken/drafting";
import { randomLaw, type Script, scriptedModel, tinyModel } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { ACCURACY, promptTokensFor } from "./__fixtures__/prompt-tokens.ts";
import type { PpdOptions } from "./options.ts";
import { ppd } from "./ppd.ts";
import type { PromptTokensShape } from "./prompt-tokens.ts";

const PROMPT = [1, 2, 3];
/** Counts up, so that every token is known from the one before. */
const counting: Script = { next: (tokens) => (tokens.at(-1)! + 1) % 8 };

const decoderFor = (head: TrainedPart<PromptTokensShape>, options: Omit<PpdOptions, "head"> = {}) =>
  speculative({ drafters: ppd({ head, rows: 24, ...options }) });

test("prompt tokens that know the text reach the full depth in every pass", async () => {
  const model = scriptedModel(counting);
  const decoder = decoderFor(promptTokensFor(model, { accuracy: [[0.9], [0.9], [0.9]] }));
  const { tokens, report } = await generate(model, { prompt: PROMPT, decoder, maxTokens: 41 });
  expect(tokens).toEqual(Array.from({ length: 41 }, (_, index) => (4 + index) % 8));
  // The prefill decides one token, and its probes are the first draft: ten passes of four.
  expect(report.targetPasses).toBe(10);
  expect(report.bySource.ppd).toEqual({ drafted: 30, accepted: 30 });
});

test("the prompt's last row has guesses already", async () => {
  const model = scriptedModel({ ...counting, record: true });
  const decoder = decoderFor(promptTokensFor(model));
  await generate(model, { prompt: PROMPT, decoder, maxTokens: 3 });
  const [prefill, first] = model.inspection.log;
  expect(prefill!.rows.map(({ token, position }) => [token, position])).toEqual([
    [1, 0],
    [2, 1],
    [3, 2],
    [undefined, 3],
    [undefined, 4],
    [undefined, 5],
  ]);
  expect(first!.rows.slice(0, 2).map(({ token }) => token)).toEqual([4, 5]);
});

describe("the worked example's rows", () => {
  // Two steps; (0), (1) and (0,0), with two probes under the root and one under each node.
  const accuracy = [
    [0.5, 0.3],
    [0.4, 0.1],
  ];

  test("stand at their depth, chains behind their nodes", async () => {
    const model = scriptedModel({ ...counting, record: true });
    const part = promptTokensFor(model, { accuracy });
    const decoder = speculative({
      drafters: ppd({ head: part, rows: 6 }),
      budget: fixedBudget({ nodes: 3 }),
    });
    await generate(model, { prompt: PROMPT, decoder, maxTokens: 8 });
    const rows = model.inspection.log[1]!.rows.map(({ token, position }) => [token, position - 3]);
    expect(rows).toEqual([
      [4, 0],
      [5, 1],
      [expect.any(Number), 1],
      [6, 2],
      [undefined, 1],
      [undefined, 2],
      [undefined, 2],
      [undefined, 2],
      [undefined, 3],
    ]);
  });

  test("see the text, their own ancestors, and the probes before them in their chain", async () => {
    const seen: string[] = [];
    const names = new Map<number, string>();
    const model = scriptedModel({
      ...counting,
      probe: (tokens, { embeddings }) => {
        // The value of an embedding says which prompt token it is.
        seen.push(
          `${tokens.slice(PROMPT.length).join(" ")} | ${embeddings.map(([first]) => names.get(first!)).join(" ")}`,
        );
        return Float32Array.from({ length: 8 }, (_, token) =>
          token === (tokens.at(-1)! + 1 + embeddings.length) % 8 ? 5 : 0,
        );
      },
    });
    const value = (index: number) => 1 + Math.floor(index / model.width);
    names.set(1, "e1").set(2, "e2");
    const part = promptTokensFor(model, { accuracy, value });
    const decoder = speculative({
      drafters: ppd({ head: part, rows: 6 }),
      budget: fixedBudget({ nodes: 3 }),
    });
    await generate(model, { prompt: PROMPT, decoder, maxTokens: 6 });
    expect(seen).toContain(" | e1");
    expect(seen).toContain(" | e1 e2");
    // Read of the first pass: the chain of the last accepted node, 4 5 6, which has one step.
    expect(seen.some((row) => row.startsWith("4 5 6 | e1"))).toBe(true);
    expect(seen.every((row) => /\| e1( e2)?$/.test(row))).toBe(true);
  });
});

test("what the prompt tokens are changes the speed, never the text", async () => {
  const law = randomLaw({ seed: 9, vocabularySize: 8, order: 2 });
  const wild: Script = {
    law,
    probe: (_tokens, { embeddings }) =>
      Float32Array.from({ length: 8 }, (_, token) => Math.sin(1e3 * embeddings.at(-1)![0]! + token)),
  };
  const texts = [];
  for (const value of [() => 0, (index: number) => Math.cos(index), (index: number) => index % 3]) {
    const model = scriptedModel(wild);
    const decoder = decoderFor(promptTokensFor(model, { value }));
    texts.push(
      (await generate(model, { prompt: PROMPT, decoder, maxTokens: 40, seed: 3, temperature: 0.9 })).tokens,
    );
  }
  const model = scriptedModel(wild);
  const expected = await generate(model, {
    prompt: PROMPT,
    decoder: plain(),
    maxTokens: 40,
    seed: 3,
    temperature: 0.9,
  });
  expect(texts).toEqual([expected.tokens, expected.tokens, expected.tokens]);
});

test("an automatic budget switches them off where they guess nothing, probes too", async () => {
  const law = randomLaw({ seed: 2, vocabularySize: 8, order: 3 });
  const blind: Script = { law, probe: () => new Float32Array(8) };
  const model = scriptedModel(blind);
  const decoder = speculative({
    drafters: ppd({ head: promptTokensFor(model), rows: 8 }),
    budget: autoBudget(),
  });
  const { report } = await generate(model, { prompt: PROMPT, decoder, maxTokens: 200 });
  const fixed = await generate(model, {
    prompt: PROMPT,
    decoder: decoderFor(promptTokensFor(model), { rows: 8 }),
    maxTokens: 200,
  });
  expect(report.targetPasses).toBeGreaterThan(150);
  expect(report.rows / report.targetPasses).toBeLessThan(
    0.4 * (fixed.report.rows / fixed.report.targetPasses),
  );
});

/** Rows that cost next to nothing, as on a large GPU. */
const cheapRows = { isMeasured: true, ms: (rows: number) => 1 + 0.02 * (rows - 1) };

test("an automatic budget comes back to them when they guess right again", async () => {
  // Blind while the text is below 60 tokens, then right.
  const script: Script = {
    ...counting,
    probe: (tokens, { embeddings }) =>
      Float32Array.from({ length: 8 }, (_, token) =>
        tokens.length < 60 ? 0 : token === (tokens.at(-1)! + 1 + embeddings.length) % 8 ? 9 : 0,
      ),
  };
  const model = scriptedModel({ ...script, contextLength: 1200, cost: cheapRows });
  const decoder = speculative({
    drafters: ppd({ head: promptTokensFor(model), rows: 8 }),
    budget: autoBudget(),
  });
  const { report } = await generate(model, { prompt: PROMPT, decoder, maxTokens: 1000 });
  expect(report.targetPasses).toBeLessThan(900);
});

test("on a real graph the tokens are plain decoding's, greedy and drawn", async () => {
  const model = await tinyModel(4);
  const part = promptTokensFor(model, { accuracy: ACCURACY, value: (index) => 0.05 * Math.sin(7 * index) });
  for (const temperature of [0, 0.8]) {
    const options = { prompt: [5, 9, 2, 33], maxTokens: 40, seed: 11, temperature };
    const expected = await generate(model, { ...options, decoder: plain() });
    const given = await generate(model, { ...options, decoder: decoderFor(part) });
    expect(given.tokens).toEqual(expected.tokens);
  }
  await model.dispose();
});

describe("what is refused", () => {
  test("prompt tokens of other weights, before anything is run", async () => {
    const model = scriptedModel(counting);
    const other = { ...model, contentHash: "f".repeat(64) } as Model;
    const decoder = decoderFor(promptTokensFor(other));
    await expect(generate(model, { prompt: PROMPT, decoder, maxTokens: 4 })).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("was trained on target.gguf"),
    });
    expect(model.inspection.passes).toBe(0);
  });

  test.each([
    [{}],
    [{ head: 3 }],
    [{ head: "x", rows: 0 }],
    [{ head: "x", rows: 49 }],
    [{ head: "x", foreignProbes: -1 }],
    [{ head: "x", row: 4 }],
  ])("options %j", (options) => {
    expect(() => ppd(options as never)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  test("a folder without prompt tokens", async () => {
    const decoder = speculative({ drafters: ppd({ head: "/nowhere" }) });
    await expect(
      generate(scriptedModel(counting), { prompt: PROMPT, decoder, maxTokens: 4 }),
    ).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});
