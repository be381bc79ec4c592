import {
  DecodeEmitter,
  type GenerateOptions,
  generate,
  type LogitsProcessor,
  type Model,
  plain,
  type StepEvent,
} from "@foretoken/core";
import { randomLaw, type Script, type ScriptedModelOptions, scriptedModel } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { lexicalUnitsFor } from "./__fixtures__/lexical-units.ts";
import { sureScript, VOCABULARY } from "./__fixtures__/sure-script.ts";
import { lud } from "./lud.ts";
import type { KeptToken, LudOptions } from "./options.ts";

const PROMPT = [1, 2, 3];
const countedFrom = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);
const sure = () => 0.95;
const byOffset = (confidences: readonly number[]) => (offset: number) => confidences[offset - 1]!;

interface Asked {
  readonly options?: Omit<LudOptions, "head">;
  readonly generate?: Omit<GenerateOptions, "decoder">;
  readonly tokenizer?: ScriptedModelOptions["tokenizer"];
}

/** Runs LUD over a script; `lengths` are tokens by pass, which the method calls accepted lengths. */
async function decode(script: Script, { options, generate: asked, tokenizer = false }: Asked = {}) {
  const model = scriptedModel({ vocabularySize: VOCABULARY, record: true, tokenizer, ...script });
  const events = new DecodeEmitter();
  const steps: StepEvent[] = [];
  events.on("step", (step) => steps.push(step));
  const decoder = lud({ head: lexicalUnitsFor(model), ...options });
  const answer = await generate(model, { prompt: PROMPT, maxTokens: 25, ...asked, decoder, events });
  return { ...answer, steps, lengths: steps.map(({ tokens }) => tokens.length), model };
}

describe("a pass keeps the longest run of sure guesses", () => {
  test.each([
    ["all sure", 0.95, [0.95, 0.95, 0.95], 4],
    ["the last one unsure", 0.95, [0.95, 0.95, 0.5], 3],
    ["one in the middle unsure: what stands behind it does not count", 0.95, [0.95, 0.5, 0.99], 2],
    ["the first guess unsure", 0.95, [0.5, 0.99, 0.99], 1],
    ["the target itself unsure: one token, whatever the guesses say", 0.5, [0.99, 0.99, 0.99], 1],
  ])("%s", async (_, own, guessed, length) => {
    const script = sureScript({ own: () => own, guessed: byOffset(guessed) });
    const { tokens, lengths, steps } = await decode(script);
    expect(tokens).toEqual(countedFrom(4, 25));
    expect(lengths).toEqual(Array.from({ length: 24 / length }, () => length));
    // The root, what is kept, and three paddings behind the last of it.
    expect(steps[0]!.rows).toBe(length + 3);
  });

  test("which changes with how sure the target is", async () => {
    const script = sureScript({
      own: (length) => (length === 7 || length === 8 ? 0.4 : 0.95),
      guessed: sure,
    });
    const { tokens, lengths } = await decode(script, { generate: { maxTokens: 14 } });
    expect(tokens).toEqual(countedFrom(4, 14));
    // Behind 7 and 8 tokens it is unsure, so that the tokens at those places end a unit.
    expect(lengths).toEqual([4, 1, 1, 4, 3]);
  });

  test("whose lengths the report tells as acceptance by depth", async () => {
    const script = sureScript({ guessed: byOffset([0.95, 0.95, 0.5]) });
    const { report, lengths } = await decode(script, { generate: { maxTokens: 14 } });
    const reached = [report.targetPasses, ...report.acceptanceByDepth.map(({ accepted }) => accepted), 0];
    const histogram = reached.slice(0, -1).map((count, depth) => count - reached[depth + 1]!);
    expect(histogram).toEqual([1, 2, 3].map((length) => lengths.filter((one) => one === length).length));
    expect(histogram).toEqual([1, 0, 4]);
  });

  test("of at most lookAhead tokens, and no more than the head was trained for", async () => {
    for (const [lookAhead, length] of [
      [1, 1],
      [2, 2],
      [3, 3],
      [9, 4],
    ] as const) {
      const { lengths } = await decode(sureScript({ guessed: sure }), { options: { lookAhead } });
      expect(lengths).toEqual(Array.from({ length: 24 / length }, () => length));
    }
  });
});

test("lengths lie between 1 and lookAhead, add up to the text, and fall as the threshold rises", async () => {
  const noise = (at: number) => Math.abs((Math.sin(12.9898 * at) * 43758.5453) % 1);
  const script = sureScript({
    own: () => 0.99,
    guessed: (offset, length) => 0.5 + noise(4 * length + offset) / 2,
  });
  const passes: number[] = [];
  for (const threshold of [0, 0.6, 0.7, 0.8, 0.9, 1.1]) {
    const { lengths, tokens } = await decode(script, { options: { threshold }, generate: { maxTokens: 41 } });
    expect(tokens).toEqual(countedFrom(4, 41));
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(4);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(40);
    passes.push(lengths.length);
  }
  expect(passes).toEqual([...passes].sort((a, b) => a - b));
  expect(new Set(passes).size).toBeGreaterThan(3);
  expect([passes[0], passes.at(-1)]).toEqual([10, 40]);
});

describe("a guess that is sure and wrong", () => {
  const wrong = sureScript({ guessed: sure, drift: 9 });

  test("becomes text, and is told of beside the target's own token", async () => {
    const kept: KeptToken[] = [];
    const options = { lookAhead: 2, onKept: (one: KeptToken) => kept.push(one) };
    const { tokens, guarantee } = await decode(wrong, { options, generate: { maxTokens: 5 } });
    expect(tokens).toEqual([4, 14, 15, 25, 26]);
    expect(kept).toEqual([
      { position: 4, token: 14, targetToken: 5 },
      { position: 6, token: 25, targetToken: 16 },
    ]);
    expect(guarantee).toMatchObject({
      level: "altered",
      reasons: [expect.stringContaining("a confidence of the head's threshold")],
    });
  });

  test("is refused by verify, which tries it all the same", async () => {
    const { tokens, report, guarantee } = await decode(wrong, { options: { verify: true } });
    expect(tokens).toEqual(countedFrom(4, 25));
    expect(report.drafted).toBeGreaterThan(20);
    expect(report.accepted).toBe(0);
    expect(guarantee.level).toBe("identical");
  });
});

test("verify hangs paddings under every node, so that a refusal costs one pass of guesses at most", async () => {
  // The third guess is wrong: the padding behind the second node guesses the next unit.
  const script = sureScript({ guessed: sure });
  const probe: Script["probe"] = (tokens, row) =>
    row.embeddings.length < 3
      ? script.probe!(tokens, row)
      : sureScript({ guessed: sure, drift: 5 }).probe!(tokens, row);
  const { tokens, lengths } = await decode({ ...script, probe }, { options: { verify: true } });
  expect(tokens).toEqual(countedFrom(4, 25));
  expect(lengths).toEqual(Array.from({ length: 8 }, () => 3));
});

describe("end tokens", () => {
  const script = sureScript({ guessed: sure });

  test("end the answer inside a unit, and nothing is guessed behind them", async () => {
    const { tokens, finish, steps } = await decode(script, { tokenizer: { endTokens: [10] } });
    expect(tokens).toEqual([4, 5, 6, 7, 8, 9, 10]);
    expect(finish).toBe("end");
    // The unit of 9 and 10 is closed, and has no paddings behind it.
    expect(steps.at(-1)!).toMatchObject({ drafted: 2, rows: 3 });
  });

  test("that are not sure enough do not", async () => {
    const unsure = sureScript({ guessed: (offset, length) => (length + offset === 9 ? 0.5 : 0.95) });
    const { finish, lengths, tokens } = await decode(unsure, { tokenizer: { endTokens: [10] } });
    expect([finish, tokens.at(-1)]).toEqual(["end", 10]);
    expect(lengths).toEqual([4, 2]);
  });
});

test("a budget of one token leaves no room for guesses", async () => {
  const { steps } = await decode(sureScript({ guessed: sure }), { generate: { maxTokens: 6 } });
  expect(steps.map(({ rows, tokens }) => [rows, tokens.length])).toEqual([
    [7, 4],
    [1, 1],
  ]);
});

describe("what becomes text unverified obeys the answer's own law", () => {
  const script = sureScript({ own: () => 0.99, guessed: sure });
  const lengthsWith = async (asked: Omit<GenerateOptions, "decoder">) =>
    (await decode(script, { generate: asked })).lengths;

  test("a banned token is never guessed into it", async () => {
    for (const temperature of [0, 0.7]) {
      const { tokens } = await decode(script, { generate: { bannedTokens: [9, 17], temperature, seed: 2 } });
      expect(tokens).not.toContain(9);
      expect(tokens).not.toContain(17);
    }
  });

  test("a bias or a penalty that changes what a padding likes best ends the unit there", async () => {
    expect(await lengthsWith({ maxTokens: 9 })).toEqual([4, 4]);
    // Token 7 loses to token 50 wherever it is guessed or said.
    const { tokens, lengths } = await decode(script, { generate: { maxTokens: 6, bias: { 50: 20 } } });
    expect(tokens.slice(0, 2)).toEqual([50, 50]);
    expect(lengths.every((length) => length === 1)).toBe(true);
  });

  test("a penalty sees the guesses before", async () => {
    // Says odd tokens twice, 4 5 5 6 7 7 …: the second one is punished, of which the padding that guesses it sees nothing.
    const twice: Script = {
      law: (tokens) => {
        const [before, last] = tokens.slice(-2);
        const again = last! % 2 === 1 && before !== last;
        return Array.from({ length: VOCABULARY }, (_, token) =>
          token === last! + (again ? 0 : 1) ? 0.95 : token === last! + 1 ? 0.04 : 1e-4,
        );
      },
    };
    const asked = { maxTokens: 9, presencePenalty: 6 };
    const { tokens, lengths } = await decode(twice, { options: { repetition: "off" }, generate: asked });
    expect(tokens).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(lengths[0]).toBe(3);
    expect(
      (await decode(twice, { options: { repetition: "off" }, generate: { maxTokens: 6 } })).tokens,
    ).toEqual([3, 4, 5, 5, 6, 7]);
  });

  test("a processor forbids along the unit, and sees every token of it once on its path", async () => {
    // Odd and even in turn is what the text does; after five tokens only 60 is allowed.
    const sixtyAtLast: LogitsProcessor<number> = {
      name: "sixty-at-last",
      init: () => 0,
      advance: (count) => count + 1,
      apply: (count, logits) => {
        if (count !== 5) return;
        for (let token = 0; token < logits.length; token++)
          if (token !== 60) logits[token] = Number.NEGATIVE_INFINITY;
      },
    };
    const { tokens, lengths } = await decode(script, {
      generate: { maxTokens: 10, processors: [sixtyAtLast] },
    });
    expect(tokens.slice(0, 7)).toEqual([4, 5, 6, 7, 8, 60, 61]);
    expect(lengths[0]).toBe(4);
    expect(lengths[1]).toBe(1);
  });
});

describe("repetition", () => {
  const same: Script = {
    law: () => Array.from({ length: VOCABULARY }, (_, token) => (token === 4 ? 0.99 : 1e-4)),
  };
  const lengthsOf = async (repetition: LudOptions["repetition"], texts?: readonly string[]) =>
    (
      await decode(same, {
        options: { repetition },
        generate: { maxTokens: 9 },
        tokenizer: texts && { texts },
      })
    ).lengths;
  const write = (text: string) =>
    Array.from({ length: VOCABULARY }, (_, token) => (token === 4 ? text : "x"));

  test("of a token ends a unit", async () => {
    expect(await lengthsOf("text", write("the"))).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(await lengthsOf("code", write("the"))).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(await lengthsOf("text", write("  "))).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(await lengthsOf("text")).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test("of spaces and signs is no repetition in code, and none is when it is off", async () => {
    expect(await lengthsOf("code", write("  "))).toEqual([4, 4]);
    expect(await lengthsOf("code", write("("))).toEqual([4, 4]);
    expect(await lengthsOf("off", write("the"))).toEqual([4, 4]);
  });
});

describe("without guesses that may be kept it is plain decoding", () => {
  const script: Script = { law: randomLaw({ seed: 9, vocabularySize: VOCABULARY, order: 2 }) };

  test.each([
    ["lookAhead 1", { lookAhead: 1 }],
    ["threshold 1.01", { threshold: 1.01 }],
    ["verify", { verify: true, threshold: 0 }],
  ])("%s", async (_, options) => {
    for (const temperature of [0, 0.9]) {
      const asked = { maxTokens: 40, seed: 7, temperature };
      const { tokens, guarantee } = await decode(script, { options, generate: asked });
      const model = scriptedModel({ vocabularySize: VOCABULARY, tokenizer: false, ...script });
      const expected = await generate(model, { prompt: PROMPT, ...asked, decoder: plain() });
      expect(tokens).toEqual(expected.tokens);
      expect(guarantee.level).toBe("identical");
    }
  });
});

describe("what is refused", () => {
  const counting = sureScript({ guessed: sure });
  const model = () => scriptedModel({ vocabularySize: VOCABULARY, tokenizer: false, ...counting });
  const ask = (decoder: ReturnType<typeof lud>, on: Model = model()) =>
    generate(on, { prompt: PROMPT, decoder, maxTokens: 5 });

  test("weights that the head was not trained on, unless they are asked for", async () => {
    const head = lexicalUnitsFor({ ...model(), contentHash: "f".repeat(64) });
    await expect(ask(lud({ head }))).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("was trained on target.gguf"),
    });
    const { tokens, report } = await ask(lud({ head, allowUntrained: true }));
    expect(tokens).toEqual([4, 5, 6, 7, 8]);
    expect(report.accepted).toBe(3);
  });

  test("paddings of another width, whatever is asked for", async () => {
    const head = lexicalUnitsFor({ ...model(), width: 12 });
    for (const allowUntrained of [false, true]) {
      await expect(ask(lud({ head, allowUntrained }))).rejects.toMatchObject({
        code: "UNSUPPORTED",
        message: expect.stringContaining("width 12"),
      });
    }
  });

  test.each([
    [{}],
    [{ head: 3 }],
    [{ head: "x", lookAhead: 0 }],
    [{ head: "x", threshold: -0.1 }],
    [{ head: "x", repetition: "words" }],
    [{ head: "x", verify: "yes" }],
    [{ head: "x", sampleAhead: true }],
  ])("options %j", (options) => {
    expect(() => lud(options as never)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  test("a folder without paddings", async () => {
    await expect(ask(lud({ head: "/nowhere" }))).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});
