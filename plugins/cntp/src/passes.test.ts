import type { DecodeStep } from "@foretoken/core";
import { expect, test } from "vitest";
import { joinPasses, keepTokens, passesOf, shareTime } from "./passes.ts";

const entry = (token: number) => ({ token, raw: -1, processed: -1, top: [] });

/** A pass that kept all but its last token from the drafters `a` and `b`. */
function pass(tokens: readonly number[], ms = 1): DecodeStep {
  const accepted = Math.max(0, tokens.length - 1);
  return {
    tokens,
    sources: tokens.map((_, at) => (at < accepted ? ["a", ...(at === 0 ? ["b"] : [])] : [])),
    logProbabilities: tokens.map(entry),
    drafted: 4,
    accepted,
    draftedDepth: 3,
    rows: 5,
    bySource: { a: { drafted: 4, accepted }, b: { drafted: 1, accepted: Math.min(1, accepted) } },
    times: { draftMs: ms, passMs: 2 * ms, verifyMs: ms },
    path: tokens.slice(0, accepted).map((_, at) => at + 1),
  };
}

test("a pass that is cut counts what it kept, and gets a token of its own", () => {
  const [first, second, third] = keepTokens([pass([1, 2, 3]), pass([4, 5, 6]), pass([7])], 4, {
    token: 9,
    logProbability: entry(9),
  });
  expect(first).toEqual(pass([1, 2, 3]));
  expect(second).toMatchObject({
    tokens: [4, 9],
    sources: [["a", "b"], []],
    logProbabilities: [entry(4), entry(9)],
    drafted: 4,
    accepted: 1,
    rows: 5,
    path: [1],
    bySource: { a: { drafted: 4, accepted: 1 }, b: { drafted: 1, accepted: 1 } },
  });
  expect(third).toMatchObject({ tokens: [], sources: [], accepted: 0, path: [], rows: 5 });
});

test("a pass of which nothing is kept still counts what it verified", () => {
  const [dropped] = keepTokens([pass([1, 2, 3])], 0);
  expect(dropped).toMatchObject({
    tokens: [],
    logProbabilities: [],
    drafted: 4,
    accepted: 0,
    bySource: { a: { drafted: 4, accepted: 0 }, b: { drafted: 1, accepted: 0 } },
  });
});

test("passes join to a step with their sums", () => {
  const passes = [pass([1, 2]), ...keepTokens([pass([3, 4])], 0), pass([5])];
  expect(joinPasses(passes, "end")).toMatchObject({
    tokens: [1, 2, 5],
    sources: [["a", "b"], [], []],
    logProbabilities: [1, 2, 5].map(entry),
    drafted: 12,
    accepted: 1,
    draftedDepth: 3,
    rows: 15,
    bySource: { a: { drafted: 12, accepted: 1 }, b: { drafted: 3, accepted: 1 } },
    times: { draftMs: 3, passMs: 6, verifyMs: 3 },
    passes,
    finish: "end",
  });
  expect(
    joinPasses([{ ...pass([1]), logProbabilities: undefined }], undefined).logProbabilities,
  ).toBeUndefined();
});

test("a step's passes are told apart from its end, and from entries nobody asked for", () => {
  const inner = joinPasses([pass([1]), pass([2])], "stop");
  expect(passesOf(inner, true)).toEqual([pass([1]), pass([2])]);
  expect(passesOf({ ...pass([1]), finish: "end" }, false)).toEqual([
    { ...pass([1]), logProbabilities: undefined },
  ]);
});

test("the time of passes that ran together is shared, that of others is left alone", () => {
  const passes = [pass([1], 10), pass([2], 30)];
  const total = (shared: readonly DecodeStep[]) => joinPasses(shared, undefined).times;
  expect(total(shareTime(passes, 80))).toEqual({ draftMs: 20, passMs: 40, verifyMs: 20 });
  expect(total(shareTime(passes, 1000))).toEqual({ draftMs: 40, passMs: 80, verifyMs: 40 });
  expect(shareTime([pass([1], 0)], 5)[0]!.times).toEqual({ draftMs: 0, passMs: 0, verifyMs: 0 });
});
