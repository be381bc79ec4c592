import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stopRule } from "./stop-rule.ts";

const text = "one two three four five";
const tokenizer = { tokenBytes: (token: number) => new TextEncoder().encode(text[token] ?? "") };
const END = 1000;
const base = { endTokens: [END], stop: [] as string[], contextRoom: 100, tokenizer };

/** Tokens kept until the rule ends, and why. */
function run(options: Partial<typeof base> & { maxTokens?: number }, tokens: readonly number[]) {
  let state = stopRule({ maxTokens: undefined, ...base, ...options });
  let count = 0;
  for (const token of tokens) {
    if (state.finish !== undefined) break;
    state = state.advance(token);
    count++;
  }
  return [count, state.finish];
}

const letters = Array.from(text, (_, at) => at);

describe("A2: the first stop string to be complete ends the answer", () => {
  test.each([
    [["four", "two"], 7],
    [["e t", "two"], 5],
    [["five five", "e f"], 15],
    [["n"], 2],
  ])("%j", (stop, count) => {
    expect(run({ stop }, letters)).toEqual([count, "stop"]);
  });

  test("bytes of a character may come from several tokens", () => {
    const bytes = new TextEncoder().encode("a🙂b");
    const split = { tokenBytes: (token: number) => bytes.subarray(token, token + 1) };
    expect(run({ stop: ["🙂"], tokenizer: split }, [0, 1, 2, 3, 4, 5])).toEqual([5, "stop"]);
  });
});

const bytesOf = (written: string) => new TextEncoder().encode(written);

/** Tokens that are pieces of a text's bytes. */
function pieces(written: string, cuts: readonly number[]) {
  const bytes = bytesOf(written);
  const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
    (a, b) => a - b,
  );
  return { ends, tokenBytes: (token: number) => bytes.subarray(ends[token - 1] ?? 0, ends[token]) };
}

describe("A2: however the text is cut into tokens", () => {
  test("the answer ends with the token in which the first stop string is complete", () => {
    const written = fc.array(fc.constantFrom("a", "b", "ab", "é", "🙂", "\n"), {
      minLength: 1,
      maxLength: 20,
    });
    const stop = fc.array(
      fc.array(fc.constantFrom("a", "b", "é", "🙂", "\n"), { minLength: 1, maxLength: 4 }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(written, stop, fc.array(fc.integer({ min: 1, max: 80 })), (parts, stopParts, cuts) => {
        const answer = parts.join("");
        const stops = stopParts.map((part) => part.join(""));
        const tokenizer = pieces(answer, cuts);
        const ends = stops
          .filter((text) => answer.includes(text))
          .map((text) => bytesOf(answer.slice(0, answer.indexOf(text) + text.length)).length);
        const expected =
          ends.length === 0
            ? [tokenizer.ends.length, undefined]
            : [tokenizer.ends.findIndex((end) => end >= Math.min(...ends)) + 1, "stop"];
        expect(run({ stop: stops, tokenizer }, [...tokenizer.ends.keys()])).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test("one token for two line ends matches as two tokens do", () => {
    const vocabulary = ["\n\n", "\n", "User:", "x"];
    const tokenizer = { tokenBytes: (token: number) => bytesOf(vocabulary[token]) };
    for (const path of [
      [3, 0, 2],
      [3, 1, 1, 2],
    ]) {
      expect(run({ stop: ["\n\nUser:"], tokenizer }, [...path, 3])).toEqual([path.length, "stop"]);
    }
    expect(run({ stop: ["\n"], tokenizer }, [3, 0, 2])).toEqual([2, "stop"]);
  });

  test("control tokens have no text and do not part a stop string", () => {
    const vocabulary = ["o", "n", ""];
    const tokenizer = { tokenBytes: (token: number) => bytesOf(vocabulary[token]) };
    expect(run({ stop: ["on"], tokenizer }, [0, 2, 2, 1, 0])).toEqual([4, "stop"]);
  });
});

test("a model without end tokens stops by text, budget and context", () => {
  expect(run({ endTokens: [], stop: ["two"] }, [0, END, 4, 5, 6])).toEqual([5, "stop"]);
});

test("A1: an end token, the budget or the context ends the answer at that token", () => {
  expect(run({}, [0, 1, END, 2])).toEqual([3, "end"]);
  expect(run({ maxTokens: 2 }, letters)).toEqual([2, "length"]);
  expect(run({ contextRoom: 3 }, letters)).toEqual([3, "context"]);
  expect(run({ maxTokens: 0 }, letters)).toEqual([0, "length"]);
});

test("tells the end token before the stop string before the budget before the context", () => {
  expect(run({ maxTokens: 1, contextRoom: 1 }, [END])).toEqual([1, "end"]);
  expect(run({ maxTokens: 3, contextRoom: 3, stop: ["one"] }, letters)).toEqual([3, "stop"]);
  expect(run({ maxTokens: 3, contextRoom: 3 }, letters)).toEqual([3, "length"]);
});

test("states are values: a discarded path leaves no trace", () => {
  const start = stopRule({ ...base, stop: ["on"], maxTokens: 9 }).advance(0);
  expect(start.advance(1).finish).toBe("stop");
  expect(start.advance(4).finish).toBeUndefined();
  expect(start.advance(1).finish).toBe("stop");
  expect(start.remaining).toBe(8);
});

test("refuses an empty stop string", () => {
  expect(() => run({ stop: ["a", ""] }, [])).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining('["a",""]') }),
  );
});

test("refuses stop strings without a tokenizer", () => {
  expect(() =>
    stopRule({ ...base, maxTokens: undefined, stop: ["x"], tokenizer: undefined as never }),
  ).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});
