import { measureBatch } from "@foretoken/bench";
import { type Decoder, generate, plain, speculative, stream } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { randomLaw, scriptedModel, tinyModel } from "@foretoken/testing";
import { tokenRecycling } from "@foretoken/token-recycling";
import { describe, expect, test } from "vitest";

const DECODERS: Readonly<Record<string, () => Decoder>> = {
  plain,
  "tables, merged": () => speculative({ drafters: [promptLookup(), tokenRecycling({ nodes: 3 })] }),
};
const PROMPTS = Array.from({ length: 6 }, (_, prompt) =>
  Array.from({ length: 3 + 5 * prompt }, (_, at) => 5 + ((prompt * 31 + at * 7) % 80)),
);

describe.each(Object.entries(DECODERS))("several prompts through one model: %s", (_, decoder) => {
  test.each([0, 0.9])("texts are those of one by one, at temperature %d", async (temperature) => {
    const model = await tinyModel(3);
    const ask = (prompt: readonly number[], seed: number) =>
      generate(model, { prompt, decoder: decoder(), temperature, seed, maxTokens: 24, ignoreEnd: true });
    const alone = [];
    for (const [seed, prompt] of PROMPTS.entries()) alone.push(await ask(prompt, seed));
    const together = await Promise.all(PROMPTS.map(ask));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone.map(({ tokens }) => tokens));
    await model.dispose();
  });

  test("one that joins later, and one that leaves early, change nobody's text", async () => {
    const model = await tinyModel(4);
    const options = (prompt: readonly number[]) => ({
      prompt,
      decoder: decoder(),
      maxTokens: 24,
      ignoreEnd: true,
    });
    const alone = [];
    for (const prompt of PROMPTS) alone.push((await generate(model, options(prompt))).tokens);

    const leaver = new AbortController();
    const early = generate(model, options(PROMPTS[1]!));
    const leaving = generate(model, { ...options(PROMPTS[2]!), maxTokens: 100, signal: leaver.signal });
    let late: Promise<readonly number[]> | undefined;
    const leader = stream(model, options(PROMPTS[0]!));
    let written = 0;
    for await (const { tokens } of leader) {
      written += tokens.length;
      if (written >= 8) {
        late ??= generate(model, options(PROMPTS[3]!)).then(({ tokens: all }) => all);
        leaver.abort();
      }
    }
    expect((await leader.result).tokens).toEqual(alone[0]);
    expect((await early).tokens).toEqual(alone[1]);
    expect((await leaving).finish).toBe("aborted");
    expect(await late).toEqual(alone[3]);
    await model.dispose();
  });
});

test("loops that run at once share their passes", async () => {
  const model = scriptedModel({
    vocabularySize: 6,
    law: randomLaw({ seed: 2, vocabularySize: 6 }),
    record: true,
  });
  await Promise.all(
    [1, 2, 3, 4].map((first) => generate(model, { prompt: [first, 0], maxTokens: 20, ignoreEnd: true })),
  );
  const passes = model.inspection.log.length;
  // 4 prompts and 19 tokens behind the first of each: alone 80 passes.
  expect(passes).toBe(20);
});

test("a batch is measured against one by one, with half of it joining later", async () => {
  const model = scriptedModel({
    vocabularySize: 6,
    law: randomLaw({ seed: 2, vocabularySize: 6 }),
    tokenizer: { chatTemplate: (messages) => String(messages[0]!.content) },
  });
  const prompts = ["a", "b", "ab", "ba"].map((text, id) => ({ id: `${id}`, group: "all", text }));
  const done: number[] = [];
  const result = await measureBatch({
    model,
    decoder: plain(),
    prompts,
    maxTokens: 30,
    repeats: 2,
    onProgress: ({ done: count }) => done.push(count),
  });
  expect(result).toMatchObject({ prompts: 4, same: 4, sameWhenJoining: 4 });
  expect(done).toEqual([0, 1, 2, 3, 4, 5]);
});

test("one prompt is no batch, and an abort ends the measuring with its reason", async () => {
  const model = scriptedModel({
    vocabularySize: 6,
    law: randomLaw({ seed: 2, vocabularySize: 6 }),
    tokenizer: { chatTemplate: (messages) => String(messages[0]!.content) },
  });
  const prompts = ["a", "b", "ab"].map((text, id) => ({ id: `${id}`, group: "all", text }));
  const options = { model, decoder: plain(), maxTokens: 30 };
  await expect(measureBatch({ ...options, prompts: prompts.slice(0, 1) })).rejects.toMatchObject({
    code: "INVALID_OPTION",
  });
  for (const stopAt of [0, 1, 2]) {
    const abort = new AbortController();
    const run = measureBatch({
      ...options,
      prompts,
      signal: abort.signal,
      onProgress: ({ done }) => {
        if (done === stopAt) abort.abort(new Error("enough"));
      },
    });
    await expect(run).rejects.toThrow(/enough|aborted/);
  }
});
