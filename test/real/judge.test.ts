import { readFileSync } from "node:fs";
import {
  type ChatMessage,
  createRegistry,
  generate,
  rejection,
  speculative,
  type TokenId,
  TokenTree,
} from "@foretoken/core";
import { judge, plugin as judgePlugin, loadJudge, type Verdict } from "@foretoken/judge";
import { promptLookup, plugin as promptLookupPlugin } from "@foretoken/prompt-lookup";
import { rsd, plugin as rsdPlugin } from "@foretoken/rsd";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { smollm2Draft, smollm2Judge } from "@foretoken/smollm2-heads";
import { textDrafter } from "@foretoken/testing";
import { trainedDraft, plugin as trainedDraftPlugin } from "@foretoken/trained-draft";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Right answers, with the scores of the training code on states of these weights; made by training/foretoken_training/judge_fixture.py. */
const answers: readonly {
  readonly messages: readonly ChatMessage[];
  readonly answer: string;
  /** Of the state that has read each token of the answer. */
  readonly scores: readonly number[];
  /** Of the state before it: what a judge that is off by one would give. */
  readonly before: readonly number[];
}[] = JSON.parse(readFileSync(new URL("../fixtures/smollm2-judge.json", import.meta.url), "utf8"));

let model: LoadedModel;
beforeAll(async () => {
  model = await loadModel("smollm2-135m-instruct", { dtype: "stored", device: "cpu" });
}, 180_000);
afterAll(() => model?.dispose());

test("drafts get the training code's scores, of the state that has read them", async () => {
  const head = await loadJudge(smollm2Judge);
  const differences: { readonly at: number; readonly before: number }[] = [];
  for (const { messages, answer, scores, before } of answers) {
    const { tokens: prompt } = model.tokenizer.renderChat(messages);
    const tokens = model.tokenizer.encode(answer);
    const verdicts: Verdict[] = [];
    // Everything is kept, so that every token of the answer is drafted behind the ones before it.
    const verifier = judge({
      head,
      threshold: 0,
      consecutive: 1024,
      onVerdict: (verdict) => verdicts.push(verdict),
    });
    const drafter = textDrafter({
      name: "given",
      // The whole answer in one pass: a token of the target's own would leave it.
      defaultLimit: 64,
      propose: (text, limit) => {
        const at = text.length - prompt.length;
        return TokenTree.chain(text.at(-1)!, tokens.slice(at, at + limit), "given");
      },
    });
    const given = await firstFollowed(prompt, tokens);
    await generate(model, {
      prompt: [...prompt, ...tokens.slice(0, given)],
      decoder: speculative({ drafters: drafter, verifier }),
      maxTokens: tokens.length - given,
    });
    for (const { position, judged } of verdicts) {
      const index = position - prompt.length;
      for (const { score } of judged) {
        differences.push({
          at: Math.abs(score - scores[index]),
          before: Math.abs(score - before[index]),
        });
      }
    }
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(differences.length).toBeGreaterThan(4);
  expect(mean(differences.map(({ at }) => at))).toBeLessThan(0.05);
  expect(mean(differences.map(({ before }) => before))).toBeGreaterThan(0.15);
}, 120_000);

/** How many tokens of an answer to give, so that the model goes on with the next one: an output's first token is never drafted. */
async function firstFollowed(prompt: readonly TokenId[], answer: readonly TokenId[]): Promise<number> {
  for (let given = 0; given < answer.length; given++) {
    const { tokens } = await generate(model, {
      prompt: [...prompt, ...answer.slice(0, given)],
      maxTokens: 1,
    });
    if (tokens[0] === answer[given]) return given;
  }
  throw new Error(`The model goes on with no token of ${model.tokenizer.decode(answer)}`);
}

const messages = [{ role: "user", content: "List four fruits, then the same four fruits in reverse order." }];
const options = { messages, maxTokens: 24, seed: 1 };

test("at threshold 1 a judge over rsd, and over prompt lookup, is the inner decoder", async () => {
  const cases = [
    { temperature: 0.8, make: () => rsd({ source: trainedDraft({ head: smollm2Draft }) }) },
    { temperature: 0, make: () => promptLookup() },
  ];
  for (const { temperature, make } of cases) {
    const answer = (verifier = rejection()) =>
      generate(model, { ...options, temperature, decoder: speculative({ drafters: make(), verifier }) });
    const inner = await answer();
    const judged = await answer(judge({ verifier: rejection(), head: smollm2Judge, threshold: 1 }));
    expect(judged.tokens).toEqual(inner.tokens);
    expect(judged.guarantee.level).toBe(inner.guarantee.level);
  }
}, 120_000);

test("from JSON, the shipped judge over rsd keeps drafts that rejection refuses", async () => {
  const registry = createRegistry();
  for (const plugin of [judgePlugin, promptLookupPlugin, rsdPlugin, trainedDraftPlugin])
    registry.register(plugin);
  const compose = (verifier: unknown) =>
    registry.compose(
      "decoder",
      {
        use: "speculative",
        drafters: [{ use: "rsd", source: { use: "trained-draft", head: "draft" } }],
        verifier,
      } as never,
      { resources: { draft: smollm2Draft, "judge-head": smollm2Judge } },
    );
  const exact = await generate(model, { ...options, decoder: compose("rejection") });
  const judged = await generate(model, {
    ...options,
    decoder: compose({ use: "judge", verifier: "rejection", threshold: 0 }),
  });
  expect(judged.guarantee.level).toBe("altered");
  expect(judged.report.accepted / judged.report.targetPasses).toBeGreaterThan(
    exact.report.accepted / exact.report.targetPasses,
  );
}, 120_000);
