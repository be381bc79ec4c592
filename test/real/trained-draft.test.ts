import { readFileSync } from "node:fs";
import { generate, plain, type RowInput, speculative } from "@foretoken/core";
import { loadHead } from "@foretoken/drafting";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { smollm2Draft } from "@foretoken/smollm2-heads";
import { speculativeSampling } from "@foretoken/speculative-sampling";
import { trainedDraft } from "@foretoken/trained-draft";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Made by training/foretoken_training/draft_fixture.py. */
const expected: {
  readonly tokens: readonly number[];
  /** Rows that have a state of the target; those behind it are drafted. */
  readonly textLength: number;
  /** The logits that are listed. */
  readonly columns: readonly number[];
  readonly logits: readonly (readonly number[])[];
} = JSON.parse(readFileSync(new URL("../fixtures/smollm2-draft.json", import.meta.url), "utf8"));

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "fp32", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

test("the head's logits are the training code's, behind the target's states and its own", async () => {
  const { tokens, textLength, columns, logits } = expected;
  await model.prepare({ hidden: ["final"] });
  const head = await model.loadHead(await loadHead(smollm2Draft));
  await head.prepare({ hidden: ["final"] });

  const target = model.createSession();
  const pass = await target.forward(
    tokens.slice(0, textLength).map((token) => ({ token })),
    { hidden: ["final"] },
  );
  const states = await pass.hidden("final").read();
  const stateAt = (row: number) => states.slice(row * model.width, (row + 1) * model.width);
  target.dispose();

  const session = head.createSession();
  const rows = tokens.slice(0, textLength).map((token, row): RowInput => {
    return { token, feature: row === 0 ? undefined : stateAt(row - 1) };
  });
  const text = await session.forward(rows, { logits: "all", hidden: ["final"] });
  const difference = (given: Float32Array, row: number) =>
    Math.max(...columns.map((column, index) => Math.abs(given[column] - logits[row][index])));
  for (let row = 0; row < textLength; row++)
    expect(difference(await text.logits(row), row)).toBeLessThan(1e-3);
  let feature = (await text.hidden("final").read()).slice(-model.width);
  session.commit(text.rows);
  for (let row = textLength; row < tokens.length; row++) {
    const step = await session.forward([{ token: tokens[row], feature }], {
      logits: "all",
      hidden: ["final"],
    });
    expect(difference(await step.logits(0), row)).toBeLessThan(1e-3);
    feature = (await step.hidden("final").read()).slice();
    session.commit(step.rows);
  }
  session.dispose();
}, 60_000);

test("drafting with the head changes no token, and is accepted now and then", async () => {
  const messages = [{ role: "user", content: "Write the numbers from one to ten as words." }];
  const options = { messages, maxTokens: 40, temperature: 0, seed: 1 };
  const source = trainedDraft({ head: smollm2Draft });
  const decoder = speculative({ drafters: speculativeSampling({ source, length: 3, temperature: 0.05 }) });
  const wanted = await generate(model, { ...options, decoder: plain() });
  const { tokens, report } = await generate(model, { ...options, decoder });
  expect(tokens).toEqual(wanted.tokens);
  expect(report.accepted).toBeGreaterThan(3);
  expect(model.cacheUse.rows).toBe(0);
}, 120_000);
