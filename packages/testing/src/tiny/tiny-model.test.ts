import { generate, speculative } from "@foretoken/core";
import { expect, test } from "vitest";
import { randomDrafter } from "../drafters/known-drafters.ts";
import { testModel } from "../suites/test-model.ts";
import { tinyGguf } from "./tiny-gguf.ts";
import { tinyModel } from "./tiny-model.ts";

testModel("tinyModel in fp32 on cpu", () => tinyModel(1));
testModel("tinyModel with other sizes", () =>
  tinyModel(2, { layers: 3, width: 96, heads: 6, keyValueHeads: 3, feedForwardWidth: 64 }),
);

test("the same seed gives the same file, another seed another one", () => {
  expect(tinyGguf(7)).toEqual(tinyGguf(7));
  expect(tinyGguf(8)).not.toEqual(tinyGguf(7));
});

test("its laws are neither flat nor certain, and depend on the whole text", async () => {
  const model = await tinyModel(3);
  const behind = async (text: string) => {
    const session = model.createSession();
    const tokens = model.tokenizer!.encode(text);
    const pass = await session.forward(
      tokens.map((token) => ({ token })),
      { logits: "last" },
    );
    const logits = (await pass.logits(tokens.length - 1)).slice();
    session.dispose();
    return logits;
  };
  const logits = await behind("a text");
  const mean = logits.reduce((sum, value) => sum + value, 0) / logits.length;
  const deviation = Math.sqrt(logits.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logits.length);
  expect(deviation).toBeGreaterThan(1.5);
  expect(deviation).toBeLessThan(6);
  const other = await behind("b text");
  expect(Math.max(...logits.map((value, token) => Math.abs(value - other[token]!)))).toBeGreaterThan(0.1);
  await model.dispose();
});

test("it answers text and chat, and speculative decoding gives plain decoding's text", async () => {
  const model = await tinyModel(4);
  const decoder = speculative({
    drafters: randomDrafter({ seed: 1, vocabularySize: model.vocabularySize, defaultLimit: 8 }),
  });
  const requests = [
    { prompt: "äöü and a letter" },
    { messages: [{ role: "user", content: "Hello." }] },
    { prompt: "again", temperature: 0.8, topP: 0.95, seed: 3 },
  ];
  for (const request of requests) {
    const plain = await generate(model, { ...request, maxTokens: 24 });
    const drafted = await generate(model, { ...request, maxTokens: 24, decoder });
    expect(drafted.tokens).toEqual(plain.tokens);
    expect(drafted.report.drafted).toBeGreaterThan(0);
  }
  await model.dispose();
});
