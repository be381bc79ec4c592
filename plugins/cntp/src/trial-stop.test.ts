import { stopRule } from "@foretoken/core";
import { expect, test } from "vitest";
import { trialStop } from "./trial-stop.ts";

const answer = (maxTokens = 100) =>
  stopRule({ endTokens: [9], stop: [], maxTokens, contextRoom: 1000, tokenizer: undefined });
const end = { isPunctuation: (token: number) => token === 5, maxTrialTokens: 3 };

test("punctuation ends a trial, and so does its length", () => {
  const begin = trialStop(answer(), end);
  expect([begin.finish, begin.remaining]).toEqual([undefined, 3]);
  const one = begin.advance(1);
  expect([one.finish, one.remaining]).toEqual([undefined, 2]);
  expect([one.advance(5).finish, one.advance(5).remaining]).toEqual(["stop", 0]);
  expect(one.advance(1).advance(1).finish).toBe("stop");
  expect(one.finish).toBeUndefined();
});

test("punctuation before the trial does not end it", () => {
  expect(trialStop(answer().advance(5), end).finish).toBeUndefined();
});

test("the answer's own end is the trial's, with its reason and its room", () => {
  expect(trialStop(answer(), end).advance(9).finish).toBe("end");
  const short = trialStop(answer(2), end);
  expect(short.remaining).toBe(2);
  expect(short.advance(1).advance(1).finish).toBe("length");
});
