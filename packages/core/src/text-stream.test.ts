import { describe, expect, test } from "vitest";
import { TextStream } from "./text-stream.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Token `i` is the `i`-th character of the text. */
function letters(text: string): Tokenizer {
  return {
    specialTokens: new Map(),
    streamDecoder: () => ({
      push: (tokens: readonly number[]) => tokens.map((at) => text[at]).join(""),
      flush: () => "",
    }),
  } as unknown as Tokenizer;
}

/** Streams `text` in runs of `run` tokens until a stop string has ended in it, as the loop would. */
function streamed(text: string, stops: readonly string[], run: number): string {
  const stream = new TextStream(letters(text), stops);
  const ends = stops
    .map((stop) => text.indexOf(stop))
    .map((at, i) => (at < 0 ? Infinity : at + stops[i]!.length));
  const end = Math.min(...ends, text.length);
  let out = "";
  for (let at = 0; at < end; at += run) {
    out += stream.push(Array.from({ length: Math.min(run, end - at) }, (_, i) => at + i));
  }
  out += stream.end(ends.some((at) => at <= text.length));
  expect(stream.text).toBe(out);
  return out;
}

describe("A2: the stop string that ends first cuts the text, in runs of any length", () => {
  const text = "one two three four five";
  test.each([
    [["four", "two"], "one "],
    [["e t", "two"], "on"],
    [["five five", "e f"], "one two thre"],
    [["x"], text],
    [["e four", "four"], "one two thre"],
    [["five"], "one two three four "],
  ])("%j", (stops, expected) => {
    for (let run = 1; run <= 8; run++) expect(streamed(text, stops, run)).toBe(expected);
  });
});

test("releases text as soon as no stop string can begin in it", () => {
  const stream = new TextStream(letters("ab\n\nUx"), ["\n\nUser:"]);
  expect(stream.push([0, 1])).toBe("ab");
  expect(stream.push([2, 3, 4])).toBe("");
  expect(stream.push([5])).toBe("\n\nUx");
});
