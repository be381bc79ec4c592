import { scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { punctuationTest } from "./punctuation.ts";

const TEXTS = [
  "cat",
  ".",
  ",",
  "\n",
  ".\n\n",
  "),",
  " .",
  ". ",
  "?!",
  '."',
  "。",
  "é.",
  "",
  "  ",
  ")",
  "]",
  "}",
  "?",
  "!",
  ":",
];
const { tokenizer } = scriptedModel({
  vocabularySize: TEXTS.length,
  next: () => 0,
  tokenizer: { texts: TEXTS, specialTokens: [12] },
});
const accepted = (...options: Parameters<typeof punctuationTest>) => {
  const test = punctuationTest(...options);
  return TEXTS.filter((_, token) => test(token));
};

test("by id, the marks alone end a trial, and a mark that the model cannot write does not", () => {
  expect(accepted("ids", tokenizer)).toEqual([".", ",", "\n", ")", "]", "}", "?", "!", ":"]);
});

test("by id, the first token of a mark counts where it takes several", () => {
  const wordBoundary = { encode: () => [7, 3], tokenBytes: () => new Uint8Array() };
  expect([3, 7].map(punctuationTest("ids", wordBoundary))).toEqual([false, true]);
});

test("by text, every token that ends in a mark does, spaces left out", () => {
  expect(accepted("text", tokenizer)).toEqual(
    TEXTS.filter((text) => !["cat", '."', "。", "", "  "].includes(text)),
  );
});

test("tokens that are named need no tokenizer", () => {
  expect(accepted([0, 5], undefined)).toEqual(["cat", "),"]);
});
