import {
  type DraftContext,
  type Drafting,
  generate,
  type Model,
  type ProposeContext,
  type Session,
  speculative,
  type TokenId,
  type TokenTree,
} from "@foretoken/core";
import { modelOwner, SuccessorCounts } from "@foretoken/drafting";
import { scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { bigram } from "./bigram.ts";
import { makeBigramTable } from "./make-bigram-table.ts";
import type { BigramOptions } from "./options.ts";

const V = 10;
const MODEL = { contentHash: "model", vocabularySize: V } as Model;

const begin = (options: BigramOptions, tokens: TokenId[] = []): Drafting =>
  bigram(options).start({ model: MODEL, session: { tokens } as unknown as Session } as DraftContext);
const propose = (drafting: Drafting, root: TokenId, limit = 99, depth?: number) =>
  drafting.propose(root, limit, { depth } as ProposeContext) as TokenTree;
const paths = (tree: TokenTree) => tree.nodes.slice(1).map((_, node) => tree.path(node + 1));
const chances = (tree: TokenTree) => tree.nodes.slice(1).map(({ chance }) => chance);

/** Behind 0 the table sees 1 and 2, behind 1 token 3 alone. */
const counts = new SuccessorCounts({ order: 1, vocabularySize: V, owner: modelOwner(MODEL) });
counts.add(0, 1, 4, 8);
counts.add(0, 2, 2, 0);
counts.add(1, 3, 6, 8);
const table = counts.table();

test("drafts along the table, likeliest paths first, as wide as the widths", () => {
  const tree = propose(begin({ table, update: false }), 0);
  expect(paths(tree)).toEqual([[1], [1, 3], [2]]);
  expect(chances(tree)).toEqual([0.5, 0.375, 0.25]);
  expect(paths(propose(begin({ table, update: false, widths: [1, 1] }), 0))).toEqual([[1], [1, 3]]);
  expect(paths(propose(begin({ table, update: false }), 0, 2))).toEqual([[1], [1, 3]]);
  expect(paths(propose(begin({ table, update: false }), 0, 99, 1))).toEqual([[1], [2]]);
  expect(propose(begin({ table, update: false }), 3).size).toBe(0);
});

test("counts of the text and predictions of the table add up: (c + β p) / (n + β)", () => {
  const text = [0, 2, 0, 2, 0, 5];
  const options = { table, beta: 8, widths: [4] };
  const tree = propose(begin(options, text), 0);
  expect(paths(tree)).toEqual([[1], [2], [5]]);
  expect(chances(tree)).toEqual(
    [(0 + 4) / 11, (2 + 2) / 11, (1 + 0) / 11].map((chance) => expect.closeTo(chance, 6)),
  );
  expect(chances(propose(begin({ widths: [1], beta: 8 }, text), 0))).toEqual([expect.closeTo(2 / 11, 6)]);
});

test("every token of the text is counted once, the root included", () => {
  const text: TokenId[] = [7, 8];
  const drafting = begin({ widths: [4], beta: 1 }, text);
  expect(propose(drafting, 7).size).toBe(1);
  expect(chances(propose(drafting, 7))).toEqual([0.5]);
  text.push(7);
  expect(paths(propose(drafting, 9))).toEqual([]);
  text.push(9);
  expect(paths(propose(drafting, 7))).toEqual([[8], [9]]);
  expect(chances(propose(drafting, 7))).toEqual([expect.closeTo(1 / 3), expect.closeTo(1 / 3)]);
});

test("what one text counts stays with it", () => {
  const drafter = bigram({ table, widths: [4] });
  const on = (tokens: TokenId[]) =>
    drafter.start({ model: MODEL, session: { tokens } as unknown as Session } as DraftContext);
  const first = on([0, 9, 0, 9, 0, 9]);
  expect(paths(propose(first, 0))[0]).toEqual([9]);
  expect(paths(propose(on([]), 0))).toEqual([[1], [2]]);
});

test("a chain of order 1 is accepted whole: depth + 1 tokens a pass", async () => {
  const follower = [3, 7, 0, 5, 9, 1, 2, 4, 6, 8];
  const model = scriptedModel({
    next: (text) => follower[text.at(-1)!]!,
    vocabularySize: V,
    tokenizer: false,
  });
  const made = await makeBigramTable(model, { candidates: 1 });
  const decoder = speculative({
    drafters: bigram({ table: made, widths: [1, 1, 1], nodes: 3, update: false }),
  });
  const { report } = await generate(model, { prompt: [0], decoder, maxTokens: 41 });
  expect(report.blockEfficiency).toBe(4);
});
