import {
  type DraftContext,
  type Drafting,
  generate,
  hasCode,
  type ProposeContext,
  type Round,
  speculative,
  type TokenId,
} from "@foretoken/core";
import { forcedText, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import type { PromptLookupOptions } from "./options.ts";
import { promptLookup } from "./prompt-lookup.ts";

/** A drafting over a text that the test writes. */
function draftingOver(text: TokenId[], options?: PromptLookupOptions, endTokens: readonly TokenId[] = []) {
  const context = {
    model: { tokenizer: { endTokens: new Set(endTokens) } },
    session: { tokens: text },
    missingPrefix: 0,
  } as unknown as DraftContext;
  return promptLookup(options).start(context);
}

const draft = (drafting: Drafting, root: TokenId, limit = 20, depth?: number): TokenId[] => {
  const tree = drafting.propose(root, limit, { depth } as ProposeContext);
  if (tree instanceof Promise) throw new Error("Prompt lookup drafts at once.");
  return tree.path(tree.size);
};

/** The model accepts nothing: `tokens` become text, the first of them the root. */
function accept(drafting: Drafting, text: TokenId[], tokens: readonly TokenId[]): void {
  const committed = tokens.map((_, row) => row);
  drafting.observe({
    kind: "verify",
    rowTokens: tokens,
    committed,
    position: text.length,
  } as unknown as Round);
  text.push(...tokens);
}

const ALWAYS = { minProbability: 0 };

test("drafts what followed the last tokens, up to its limits", () => {
  const text = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1];
  expect(draft(draftingOver(text, { minProbability: 0, maxTokens: 3 }), 2)).toEqual([3, 4, 5]);
  expect(draft(draftingOver(text, ALWAYS), 2, 2)).toEqual([3, 4]);
  expect(draft(draftingOver(text, ALWAYS), 2, 5, 1)).toEqual([3]);
  expect(draft(draftingOver(text, ALWAYS), 99)).toEqual([]);
});

test("goes on into its own draft, so that a loop of any length goes on", () => {
  expect(draft(draftingOver([7, 1, 2, 1], ALWAYS), 2, 7)).toEqual([1, 2, 1, 2, 1, 2, 1]);
  expect(draft(draftingOver([7, 7], ALWAYS), 7, 3)).toEqual([7, 7, 7]);
});

test("drafts while the draft is likely: longer behind long and undisputed matches", () => {
  const phrase = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const behindLong = draft(draftingOver([...phrase, 99, 1, 2, 3, 4]), 5);
  const behindShort = draft(draftingOver([...phrase, 99, 98]), 5);
  expect(behindLong.length).toBeGreaterThan(behindShort.length);
  expect(behindShort.length).toBeGreaterThan(0);
  // Behind 5 stood another token each time: not worth a row.
  expect(draft(draftingOver([5, 1, 5, 2, 5, 3]), 5)).toEqual([]);
});

test("stops drafting where the answer refuses its drafts, and starts again where it would take them", () => {
  const text: TokenId[] = [];
  const drafting = draftingOver(text);
  const repeat = () => accept(drafting, text, [1, 2, 3]);
  repeat();
  expect(draft(drafting, 1)).not.toEqual([]);
  // Each new pair begins like an old one and goes on differently.
  for (let other = 100; other < 200; other++) accept(drafting, text, [1, other]);
  expect(draft(drafting, 1)).toEqual([]);
  for (let round = 0; round < 60; round++) repeat();
  accept(drafting, text, [1, 2]);
  expect(draft(drafting, 3, 4)).toEqual([1, 2, 3, 1]);
});

test("drafts an end token and nothing behind it", () => {
  expect(draft(draftingOver([1, 2, 0, 3, 4, 1], ALWAYS, [0]), 2)).toEqual([0]);
});

test("reads what was in the session before it, seen or not", () => {
  const text = [1, 2, 3, 9, 1];
  const drafting = draftingOver(text, ALWAYS);
  expect(draft(drafting, 2, 2)).toEqual([3, 9]);
  text.push(2, 3, 8, 1);
  expect(draft(drafting, 2, 2)).toEqual([3, 8]);
});

test("proposing changes nothing", () => {
  const drafting = draftingOver([1, 2, 3, 1], ALWAYS);
  const first = draft(drafting, 2);
  draft(drafting, 3);
  expect(draft(drafting, 2)).toEqual(first);
});

test("after a truncation it drafts as one that never saw the rest", () => {
  const text = [1, 2, 3, 4, 5];
  const drafting = draftingOver(text);
  accept(drafting, text, [1, 2, 3, 4, 6, 1, 2, 9, 1, 2, 9]);
  text.length = 7;
  drafting.truncate(7);
  const fresh = draftingOver([...text]);
  for (const root of [1, 2, 3, 4, 9]) expect(draft(drafting, root)).toEqual(draft(fresh, root));
});

test("a fork follows the branch, the original its own text", () => {
  const text = [1, 2, 3, 1];
  const drafting = draftingOver(text, { minProbability: 0, maxTokens: 1 });
  const branchText = [...text];
  const fork = drafting.fork({ tokens: branchText } as unknown as DraftContext["session"]);
  accept(fork, branchText, [2, 8, 1]);
  accept(drafting, text, [2, 9, 1]);
  expect(draft(fork, 2)).toEqual([8]);
  expect(draft(drafting, 2)).toEqual([9]);
});

test("copying a text takes a fraction of its tokens in passes", async () => {
  const phrase = [1, 2, 3, 4, 5, 6, 7, 1, 3, 5, 7, 2, 4, 6];
  const model = scriptedModel({ next: forcedText([...phrase, 0, ...phrase, 0, ...phrase]) });
  const { tokens, report } = await generate(model, {
    prompt: [...phrase, 0],
    maxTokens: 28,
    ignoreEnd: true,
    decoder: speculative({ drafters: promptLookup() }),
  });
  expect(tokens.slice(0, 14)).toEqual(phrase);
  expect(report.targetPasses).toBeLessThan(10);
  expect(report.bySource["prompt-lookup"]!.accepted).toBe(report.accepted);
});

test.each([
  [{ minNgram: 0 }, "minNgram", "0"],
  [{ minNgram: 4, maxNgram: 3 }, "maxNgram", "3"],
  [{ maxTokens: 1.5 }, "maxTokens", "1.5"],
  [{ minProbability: Number.NaN }, "minProbability", "NaN"],
  [{ maxngram: 3 }, "maxngram", "3"],
])("options %j are refused with name and value", (options, name, value) => {
  try {
    promptLookup(options as PromptLookupOptions);
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, "INVALID_OPTION")).toBe(true);
    expect((error as Error).message).toContain(name);
    expect((error as Error).message).toContain(value);
  }
});
