import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DraftWarp } from "./draft-source.ts";
import { lawStateFor } from "./law-pipeline.ts";
import type { LogitsProcessor } from "./logits-processor.ts";
import { argmax, logSumExp, topK } from "./reductions.ts";
import type { SamplingOptions } from "./sampling.ts";
import type { Pass } from "./session.ts";
import type { TokenLaw } from "./token-law.ts";

const prompt = [0, 0, 1];

function lawOf(
  logits: readonly number[],
  options: SamplingOptions,
  output: readonly number[] = [],
): TokenLaw {
  let state = lawStateFor(options, { vocabularySize: logits.length, promptTokens: prompt });
  for (const token of output) state = state.advance(token);
  return state.lawOf(Float32Array.from(logits));
}

const table = (law: TokenLaw) =>
  Array.from({ length: law.vocabularySize }, (_, token) => law.probability(token));

/** The documented rules, by sorting everything. */
function naive(
  logits: readonly number[],
  { temperature = 0, topK = 0, topP = 1, minP = 0 }: SamplingOptions,
): number[] {
  const order = logits.map((_, token) => token).sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (temperature === 0) return logits.map((_, token) => (token === order[0] ? 1 : 0));
  const weight = (token: number) => Math.exp((logits[token]! - logits[order[0]!]!) / temperature);
  let kept = topK > 0 ? order.slice(0, topK) : order;
  const mass = kept.reduce((sum, token) => sum + weight(token), 0);
  let count = 0;
  for (
    let reached = 0;
    count < kept.length && (count === 0 || reached < topP * mass * (1 - 1e-12));
    count++
  ) {
    reached += weight(kept[count]!);
  }
  kept = (topP < 1 ? kept.slice(0, count) : kept).filter((token) => weight(token) >= minP);
  const total = kept.reduce((sum, token) => sum + weight(token), 0);
  return logits.map((_, token) => (kept.includes(token) ? weight(token) / total : 0));
}

test("equals the rules carried out by sorting, ties included", () => {
  const options = fc.record({
    temperature: fc.constantFrom(0, 0.3, 0.8, 1, 2.5),
    topK: fc.constantFrom(0, 1, 2, 3, 7, 100),
    topP: fc.constantFrom(1, 0.999, 0.9, 0.5, 0.25, 0.01),
    minP: fc.constantFrom(0, 0.05, 0.5, 1),
  });
  // Quarters make ties.
  const logits = fc.array(
    fc.integer({ min: -80, max: 40 }).map((value) => value / 4),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(logits, options, (row, sampling) => {
      const expected = naive(row, sampling);
      for (const [token, probability] of table(lawOf(row, sampling)).entries()) {
        expect(probability).toBeCloseTo(expected[token]!, 9);
      }
    }),
    { numRuns: 3000 },
  );
});

describe("A9: ends and edges", () => {
  test("top-k keeps exactly k, the lower id first among equals", () => {
    expect(table(lawOf([1, 2, 2, 2], { temperature: 1, topK: 2 }))).toEqual([0, 0.5, 0.5, 0]);
    expect(table(lawOf([2, 2, 2, 2], { temperature: 1, topK: 1 }))).toEqual([1, 0, 0, 0]);
  });

  test("top-p keeps at least one token, and at a partial sum exactly those", () => {
    const logits = [0.4, 0.3, 0.2, 0.1].map(Math.log);
    expect(table(lawOf(logits, { temperature: 1, topP: 0.1 }))).toEqual([1, 0, 0, 0]);
    expect(table(lawOf([0, 0, 0, 0], { temperature: 1, topP: 0.5 }))).toEqual([0.5, 0.5, 0, 0]);
  });

  test("tiny and huge temperatures are greedy and flat", () => {
    expect(table(lawOf([1, 1.001, -3], { temperature: 1e-9 }))).toEqual([0, 1, 0]);
    for (const probability of table(lawOf([1, 50, -300], { temperature: 1e9 })))
      expect(probability).toBeCloseTo(1 / 3, 6);
  });

  test("one infinite logit takes all, several share", () => {
    expect(table(lawOf([1, Infinity, 3], { temperature: 1 }))).toEqual([0, 1, 0]);
    expect(table(lawOf([Infinity, Infinity, 3], { temperature: 1, topP: 0.99 }))).toEqual([0.5, 0.5, 0]);
  });

  test("all but one banned leaves that one; all banned is an error", () => {
    expect(table(lawOf([-Infinity, -Infinity, -2], { temperature: 1 }))).toEqual([0, 0, 1]);
    for (const temperature of [0, 1]) {
      expect(() => lawOf([-Infinity, -Infinity], { temperature })).toThrow(
        expect.objectContaining({ code: "EMPTY_LAW" }),
      );
      expect(() => lawOf([1, Number.NaN], { temperature })).toThrow(
        expect.objectContaining({
          code: "INVALID_LOGITS",
          message: expect.stringContaining("token 1 is NaN"),
        }),
      );
    }
  });
});

describe("A4: penalties count kept tokens", () => {
  const logits = [2, 2, -2, 1];
  const at0 = (options: SamplingOptions, output: readonly number[]) => {
    const law = lawOf(logits, { ...options, temperature: 1 }, output);
    // Logits back from probabilities, relative to token 3, which no test here changes.
    return [0, 1, 2].map((token) => 1 + Math.log(law.probability(token) / law.probability(3)));
  };
  const expectLogits = (actual: readonly number[], expected: readonly number[]) =>
    expected.forEach((value, token) => {
      expect(actual[token]).toBeCloseTo(value, 6);
    });

  test("repetition counts prompt and output, once each", () => {
    expectLogits(at0({ repetitionPenalty: 2 }, []), [1, 1, -2]);
    expectLogits(at0({ repetitionPenalty: 2 }, [2, 2]), [1, 1, -4]);
  });

  test("presence and frequency count the output, the prompt only where asked", () => {
    expectLogits(at0({ presencePenalty: 0.5 }, [1, 1]), [2, 1.5, -2]);
    expectLogits(at0({ frequencyPenalty: 0.5 }, [1, 1]), [2, 1, -2]);
    expectLogits(at0({ frequencyPenalty: 0.5, penalizePrompt: true }, [1]), [1, 1, -2]);
    expectLogits(at0({ frequencyPenalty: -1, presencePenalty: -1 }, [1]), [2, 4, -2]);
  });

  test("repetition scales the model's own logit before anything is subtracted", () => {
    expectLogits(at0({ repetitionPenalty: 2, presencePenalty: 3 }, [1]), [1, -2, -2]);
  });

  test("siblings and discarded paths leave no trace", () => {
    const start = lawStateFor(
      { temperature: 1, frequencyPenalty: 1 },
      { vocabularySize: 4, promptTokens: prompt },
    );
    const row = Float32Array.from(logits);
    const before = table(start.advance(1).lawOf(row));
    for (const token of [0, 1, 2, 3]) start.advance(1).advance(token).lawOf(row);
    expect(table(start.advance(1).lawOf(row))).toEqual(before);
    expect([...row]).toEqual(logits);
  });
});

test("applies bias, bans, penalties, processors and temperature in this order", () => {
  const seen: number[][] = [];
  const spy: LogitsProcessor<number> = {
    name: "spy",
    init: () => 0,
    advance: (state) => state + 1,
    apply: (state, logits) => {
      seen.push([state, ...logits]);
      logits[0] = -Infinity;
    },
  };
  const law = lawOf(
    [4, 2, 2],
    { temperature: 2, bias: { 0: 2 }, bannedTokens: [2], repetitionPenalty: 2, processors: [spy] },
    [1, 1],
  );
  expect(seen).toEqual([[2, 3, 1, -Infinity]]);
  expect(table(law)).toEqual([0, 1, 0]);
});

test("names the processor that throws", () => {
  const broken: LogitsProcessor = {
    name: "broken",
    init: () => undefined,
    advance: (state) => state,
    apply: () => {
      throw new Error("no");
    },
  };
  expect(() => lawOf([1, 2], { processors: [broken] })).toThrow(
    expect.objectContaining({ code: "PART_FAILED", message: "Processor broken failed: no" }),
  );
});

const ALPHABET = ['{"a":', "1", "2", "}", "x", "<end>"];

/** `{"a":` digits `}` as a machine over tokens: the state is the text so far. */
const grammar: LogitsProcessor<string> = {
  name: "grammar",
  init: () => "",
  advance: (text, token) => {
    if (text.endsWith("<end>")) throw new Error(`advanced behind the end of ${text}`);
    return text + ALPHABET[token];
  },
  apply: (text, logits) => {
    for (const [token, piece] of ALPHABET.entries()) {
      if (!/^\{"a":(\d*|\d+\}(<end>)?)$/.test(text + piece)) logits[token] = Number.NEGATIVE_INFINITY;
    }
  },
};

describe("A10: a constraint follows the path, not the order of calls", () => {
  const start = lawStateFor(
    { temperature: 1, processors: [grammar] },
    { vocabularySize: 6, promptTokens: prompt },
  );
  const row = new Float32Array(6);
  const possible = (...path: number[]) => {
    const law = path.reduce((state, token) => state.advance(token), start).lawOf(row);
    return Array.from({ length: 6 }, (_, token) => token).filter((token) => law.probability(token) > 0);
  };

  test("each place of a path has its own constraint, whatever was asked before", () => {
    for (let time = 0; time < 2; time++) {
      expect(possible()).toEqual([0]);
      expect(possible(0, 1, 3)).toEqual([5]);
      expect(possible(0)).toEqual([1, 2]);
      expect(possible(0, 2)).toEqual([1, 2, 3]);
    }
  });

  test("siblings in different states do not see each other", () => {
    const parent = start.advance(0).advance(1);
    const [digit, closed] = [parent.advance(2), parent.advance(3)];
    expect(closed.lawOf(row).mode()).toBe(5);
    expect(digit.lawOf(row).probability(5)).toBe(0);
    expect(closed.lawOf(row).mode()).toBe(5);
  });

  test("an illegal draft has probability 0, and what follows it no law", () => {
    expect(start.advance(0).lawOf(row).probability(4)).toBe(0);
    expect(() => start.advance(4).lawOf(row)).toThrow(expect.objectContaining({ code: "EMPTY_LAW" }));
  });

  test("making a law advances nothing", () => {
    const ended = [0, 1, 3].reduce((state, token) => state.advance(token), start);
    expect(ended.lawOf(row).mode()).toBe(5);
    expect(() => ended.advance(5).advance(0)).toThrow(expect.objectContaining({ code: "PART_FAILED" }));
  });
});

/** One row at position 7 that counts what is read of it. */
function passOf(logits: readonly number[]): { pass: Pass; reads: string[] } {
  const row = Float32Array.from(logits);
  const reads: string[] = [];
  const read = <T>(what: string, value: () => T) => {
    reads.push(what);
    return Promise.resolve().then(value);
  };
  const pass: Pass = {
    rows: [{ token: 0, position: 7 }],
    elapsedMs: 0,
    logits: () => read("logits", () => row),
    argmax: () => read("argmax", () => argmax(row)),
    topK: (_, k) => read("topK", () => topK(row, k)),
    logSumExp: () => read("logSumExp", () => logSumExp(row)),
    hidden: () => {
      throw new Error("no hidden states");
    },
  };
  return { pass, reads };
}

const stateFor = (options: SamplingOptions) =>
  lawStateFor(options, { vocabularySize: 4, promptTokens: prompt });

describe("laws of a pass", () => {
  test("greedy without processing reads the argmax and nothing else", async () => {
    const { pass, reads } = passOf([1, 3, 3, 0]);
    for (const options of [{}, { temperature: 0, topK: 3, topP: 0.5, minP: 0.1 }, { repetitionPenalty: 1 }]) {
      expect(stateFor(options).isPlainGreedy).toBe(true);
      expect((await stateFor(options).law(pass, 0)).mode()).toBe(1);
    }
    expect(new Set(reads)).toEqual(new Set(["argmax"]));
  });

  test.each([
    { temperature: 0.1 },
    { bias: { 2: 1 } },
    { bannedTokens: [1] },
    { repetitionPenalty: 1.1 },
    { presencePenalty: -1 },
    { frequencyPenalty: 0.1 },
    { processors: [grammar] },
  ])("with %o the row is read", async (options) => {
    expect(stateFor(options).isPlainGreedy).toBe(false);
  });

  test("at temperature 0 processing decides, the lower id among equals", async () => {
    const { pass } = passOf([1, 3, 3, 0]);
    expect((await stateFor({ bias: { 2: 1 } }).law(pass, 0)).probability(2)).toBe(1);
    expect((await stateFor({ bannedTokens: [1] }).law(pass, 0)).probability(2)).toBe(1);
    expect((await stateFor({ bias: { 3: 3 } }).law(pass, 0)).probability(1)).toBe(1);
  });

  test("A9: NaN and nothing left tell the position and the cause", async () => {
    const law = (logits: number[], options: SamplingOptions) => stateFor(options).law(passOf(logits).pass, 0);
    const poison: LogitsProcessor = {
      name: "poison",
      init: () => 0,
      advance: () => 0,
      apply: (_, logits) => logits.fill(Number.NaN, 3),
    };
    await expect(law([1, 2, 3, 4], { processors: [poison] })).rejects.toMatchObject({
      code: "INVALID_LOGITS",
      message: "There is no law of the token at position 8: The logit of token 3 is NaN.",
    });
    await expect(law([1, 2, 3, 4], { temperature: 1, bannedTokens: [0, 1, 2, 3] })).rejects.toMatchObject({
      code: "EMPTY_LAW",
      message: expect.stringContaining("position 8"),
    });
  });

  test("refuses a row of another length", () => {
    expect(() => stateFor({ temperature: 1 }).lawOf(new Float32Array(5))).toThrow(
      expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringContaining("5 logits") }),
    );
  });
});

describe("log-probabilities", () => {
  const logits = [0, Math.log(2), Math.log(4), Math.log(1)];
  const report = (options: SamplingOptions, token: number, top = 0) =>
    stateFor(options).logProbabilities(passOf(logits).pass, 0, token, top);

  test("raw is the model's own, whatever the processing", async () => {
    for (const options of [{}, { temperature: 2 }, { temperature: 1, bannedTokens: [2] }]) {
      expect((await report(options, 1)).raw).toBeCloseTo(Math.log(2 / 8), 6);
    }
  });

  test("processed is the law's, at temperature 0 that of temperature 1", async () => {
    expect((await report({}, 1)).processed).toBeCloseTo(Math.log(2 / 8), 6);
    expect((await report({ bannedTokens: [2] }, 1)).processed).toBeCloseTo(Math.log(2 / 4), 6);
    expect((await report({ temperature: 1, topK: 2 }, 1)).processed).toBeCloseTo(Math.log(2 / 6), 6);
    expect((await report({ temperature: 0.5 }, 2)).processed).toBeCloseTo(Math.log(16 / 22), 6);
    expect((await report({ temperature: 1, topK: 1 }, 1)).processed).toBe(Number.NEGATIVE_INFINITY);
  });

  test("top lists the model's best, none when none are asked for", async () => {
    expect((await report({}, 1)).top).toEqual([]);
    const { top } = await report({ bannedTokens: [2] }, 1, 3);
    expect(top.map(({ token }) => token)).toEqual([2, 1, 0]);
    expect(Math.exp(top[0].logProbability)).toBeCloseTo(4 / 8, 6);
  });
});

test.each([
  ["temperature", -1],
  ["temperature", Number.NaN],
  ["temperature", Number.POSITIVE_INFINITY],
  ["topK", -1],
  ["topK", 1.5],
  ["topP", 0],
  ["topP", 1.1],
  ["minP", -0.1],
  ["repetitionPenalty", 0],
  ["presencePenalty", Number.NaN],
  ["bannedTokens", [9]],
  ["bias", { 9: 1 }],
  ["bias", { 1: Number.NaN }],
  ["bias", { 1: Number.POSITIVE_INFINITY }],
  ["bias", [1]],
  ["temperature", "1"],
  ["frequencyPenalty", Number.NEGATIVE_INFINITY],
  ["bannedTokens", [0.5]],
  ["bannedTokens", 1],
  ["penalizePrompt", 1],
  ["processors", [{ name: "half" }]],
  ["processors", [undefined]],
])("refuses %s %j", (name, value) => {
  expect(() => lawOf([1, 2], { [name]: value } as SamplingOptions)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining(name) }),
  );
});

describe("the law of a draft's logits", () => {
  const logits = Float32Array.from([2, 1, 0, -1]);
  const start = { vocabularySize: 4, promptTokens: [0] };
  const shares = (options: SamplingOptions, warp: DraftWarp) => {
    const law = lawStateFor(options, start).lawOf(logits, warp);
    return [0, 1, 2, 3].map((token) => law.probability(token));
  };
  const plain = (options: SamplingOptions) => {
    const law = lawStateFor(options, start).lawOf(logits);
    return [0, 1, 2, 3].map((token) => law.probability(token));
  };

  test("is warped as the target's", () => {
    const options = { temperature: 0.8, topP: 0.9, bias: { 3: 4 } };
    expect(shares(options, {})).toEqual(plain(options));
  });

  test("has a temperature of 0.6 where the target has none, or another one", () => {
    expect(shares({ temperature: 0 }, { greedyTemperature: 0.3 })).toEqual(plain({ temperature: 0.3 }));
    expect(shares({ temperature: 0 }, { greedyTemperature: 0 })).toEqual([1, 0, 0, 0]);
    expect(shares({ temperature: 0.7 }, { greedyTemperature: 0 })).toEqual(plain({ temperature: 0.7 }));
    expect(shares({ temperature: 0, bias: { 3: 4 } }, {})).toEqual(
      plain({ temperature: 0.6, bias: { 3: 4 } }),
    );
  });

  test("has the temperature that is asked for", () => {
    for (const temperature of [0, 0.5]) {
      expect(shares({ temperature }, { temperature: 1.5 })).toEqual(plain({ temperature: 1.5 }));
      expect(shares({ temperature }, { temperature: 0 })).toEqual([1, 0, 0, 0]);
    }
  });

  test("keeps the fewer tokens of the target's top-k and its own; 0 keeps all", () => {
    for (const [target, draft, kept] of [
      [0, 2, 2],
      [3, 2, 2],
      [2, 3, 2],
      [0, 0, 4],
      [3, 0, 3],
    ] as const) {
      const expected = plain({ temperature: 1, topK: kept });
      expect(shares({ temperature: 1, topK: target }, { topK: draft })).toEqual(expected);
    }
  });
});
