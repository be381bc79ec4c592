import {
  type DraftContext,
  type Drafting,
  fixedBudget,
  generate,
  type Model,
  type ProposeContext,
  plain,
  type Random,
  type Session,
  speculative,
  type TokenId,
  type TokenTree,
} from "@foretoken/core";
import { modelOwner, pairKey, SuccessorCounts, type SuccessorTable } from "@foretoken/drafting";
import { forcedText, randomLaw, scriptedModel } from "@foretoken/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { aded } from "./aded.ts";
import type { AdedOptions } from "./options.ts";

const V = 10;
const MODEL = { contentHash: "model", vocabularySize: V } as Model;
const random: Random = { uniform: () => 0.5, fork: () => random };

/** A drafting over a text that tests write themselves. */
function begin(options: AdedOptions, text: TokenId[] = []) {
  const session = { tokens: text } as unknown as Session;
  const drafting = aded(options).start({ model: MODEL, session } as DraftContext);
  return { text, drafting };
}
const propose = (drafting: Drafting, root: TokenId, limit = 64, depth?: number) =>
  drafting.propose(root, limit, { random, depth } as ProposeContext) as TokenTree;
const paths = (tree: TokenTree) => tree.nodes.slice(1).map((_, node) => tree.path(node + 1));
const chances = (tree: TokenTree) => tree.nodes.slice(1).map(({ chance }) => chance!);

function count(texts: readonly (readonly TokenId[])[], order: 1 | 2 = 2): SuccessorTable {
  const counts = new SuccessorCounts({ order, vocabularySize: V, owner: modelOwner(MODEL) });
  for (const text of texts) counts.addText(text);
  return counts.table();
}

test("drafts what followed the last two tokens, in prompt and root", () => {
  const { drafting } = begin({}, [1, 2, 3, 4, 1]);
  // 1 2 3 4 1 (2): behind 1 2 came 3, behind 2 3 came 4, behind 3 4 came 1, behind 4 1 came 2 just now.
  expect(paths(propose(drafting, 2))).toEqual([[3], [3, 4], [3, 4, 1], [3, 4, 1, 2]]);
  expect(paths(propose(drafting, 2, 2))).toEqual([[3], [3, 4]]);
  expect(paths(propose(drafting, 2, 64, 1))).toEqual([[3]]);
});

test("drafts nothing behind a pair it does not know, or a single token", () => {
  expect(propose(begin({}, [1, 2, 3]).drafting, 9).size).toBe(0);
  expect(propose(begin({ table: count([[1, 2, 3]]) }).drafting, 1).size).toBe(0);
});

test("an occurrence in the window adds the step, up to the most, and touches no other entry", () => {
  // Told by chances: behind 1 2 the table gives 3 and 4 a half each.
  const table = count([
    [1, 2, 3],
    [1, 2, 4],
  ]);
  const { drafting } = begin({ table, step: 0.25, window: 5, depth: 1, learnPrompt: false }, [1, 2, 4, 0, 1]);
  // The window holds 2 4 0 1 2: not 1 2 4. Nothing is learnt of 1 2.
  expect(chances(propose(drafting, 2))).toEqual([0.5, 0.5]);

  const wide = begin({ table, step: 0.25, window: 6, most: 0.8, depth: 1 }, [1, 2, 4, 0, 1]);
  expect(paths(propose(wide.drafting, 2))).toEqual([[4], [3]]);
  const { fround } = Math;
  expect(
    chances(propose(begin({ table, step: 0.25, window: 6, depth: 1 }, [1, 2, 4, 0, 1]).drafting, 2)),
  ).toEqual([0.75 / 1.25, 0.5 / 1.25]);
  // Before the next pass it is still in the window, counts again, and stops at the most.
  expect(chances(propose(wide.drafting, 2))[0]).toBeCloseTo(fround(0.8) / 1.3, 6);
  expect(chances(propose(wide.drafting, 2))[0]).toBeCloseTo(fround(0.8) / 1.3, 6);
});

test("the whole prompt is learnt once, or only its end", () => {
  const prompt = [1, 2, 3, ...new Array<TokenId>(40).fill(0), 1];
  expect(paths(propose(begin({}, prompt).drafting, 2, 1))).toEqual([[3]]);
  expect(propose(begin({ learnPrompt: false }, prompt).drafting, 2, 1).size).toBe(0);
  // Once: what stands before the window weighs no more after three passes than 1 2 4 does after one.
  const { text, drafting } = begin({ depth: 1 }, [...prompt]);
  for (let pass = 0; pass < 3; pass++) expect(chances(propose(drafting, 2))).toEqual([1]);
  text.push(2, 4, 1);
  expect(chances(propose(drafting, 2))).toEqual([0.5, 0.5]);
});

test("pairs that the table does not know begin with what follows their last token", () => {
  const start = count([[2, 5, 0, 2, 6, 0, 2, 5]], 1);
  const { drafting } = begin({ table: count([[7, 2, 8]]), start, depth: 1 }, [1]);
  expect(paths(propose(drafting, 2))).toEqual([[5], [6]]);
  expect(paths(propose(begin({ table: count([[1, 2, 8]]), start, depth: 1 }, [1]).drafting, 2))).toEqual([
    [8],
  ]);
});

test("what one text teaches stays with that text", () => {
  const table = count([[1, 2, 3]]);
  const drafter = aded({ table, depth: 1 });
  const on = (text: TokenId[]) =>
    drafter.start({ model: MODEL, session: { tokens: text } as unknown as Session } as DraftContext);
  const arrays = structuredClone(table.arrays);
  const first = on([1, 2, 4, 1, 2, 4, 1]);
  expect(paths(propose(first, 2)).map(String)).toContain("4");
  expect(paths(propose(on([0, 1]), 2))).toEqual([[3]]);
  const fork = first.fork({ tokens: [1, 2, 4, 1, 2, 4, 1] } as unknown as Session);
  expect(paths(propose(fork, 2)).map(String)).toContain("4");
  expect(table.arrays).toEqual(arrays);
});

test("a tree has at most 64 nodes, parents first, and no siblings alike", () => {
  const text = fc.array(fc.nat(V - 1), { minLength: 2, maxLength: 200 });
  const options = fc.record({
    search: fc.constantFrom("best-first" as const, "puct" as const),
    backup: fc.constantFrom("corrected" as const, "published" as const),
    depth: fc.integer({ min: 1, max: 6 }),
    sentences: fc.integer({ min: 1, max: 64 }),
    iterations: fc.integer({ min: 1, max: 200 }),
  });
  fc.assert(
    fc.property(text, options, fc.integer({ min: 1, max: 200 }), (tokens, given, limit) => {
      const root = tokens.at(-1)!;
      const tree = propose(begin(given, tokens.slice(0, -1)).drafting, root, limit);
      expect(tree.size).toBeLessThanOrEqual(Math.min(limit, 64));
      for (const [index, node] of tree.nodes.entries()) {
        expect(node.parent).toBeLessThan(index);
        expect(node.depth).toBeLessThanOrEqual(given.depth);
        expect(new Set(node.trials.map(({ token }) => token)).size).toBe(node.trials.length);
      }
      // Row i sees itself and its ancestors.
      for (const [index, { depth }] of tree.nodes.entries()) expect(tree.path(index)).toHaveLength(depth);
    }),
    { numRuns: 60 },
  );
});

const TEXT = Array.from({ length: 60 }, (_, index) => [1, 5, 2, 5, 3, 0, 4][index % 7]!);

test.each(["best-first", "puct"] as const)(
  "%s approaches five tokens a pass on a text that repeats itself",
  async (search) => {
    const model = scriptedModel({
      next: forcedText([...TEXT, ...TEXT]),
      vocabularySize: V,
      tokenizer: false,
    });
    const decoder = speculative({
      drafters: aded({ search }),
      budget: fixedBudget({ nodes: 64 }),
    });
    const { report, tokens } = await generate(model, { prompt: TEXT.slice(0, 20), decoder, maxTokens: 60 });
    expect(tokens).toEqual([...TEXT, ...TEXT].slice(20, 80));
    expect(report.blockEfficiency).toBeGreaterThan(4.5);
  },
);

test("the same request again takes fewer passes, with the table of the first", async () => {
  const model = scriptedModel({
    law: randomLaw({ seed: 4, vocabularySize: V, order: 3 }),
    vocabularySize: V,
    tokenizer: false,
  });
  const prompt = [1, 2, 3];
  const options = { prompt, maxTokens: 80, temperature: 0 };
  const run = (drafters: ReturnType<typeof aded>) =>
    generate(model, { ...options, decoder: speculative({ drafters, budget: fixedBudget({ nodes: 16 }) }) });
  const expected = await generate(model, { ...options, decoder: plain() });
  const cold = await run(aded());
  const counts = new SuccessorCounts({ order: 2, vocabularySize: V, owner: modelOwner(model) });
  counts.addText([...prompt, ...cold.tokens]);
  const warm = await run(aded({ table: counts.table() }));
  expect([cold.tokens, warm.tokens]).toEqual([expected.tokens, expected.tokens]);
  expect(warm.report.targetPasses).toBeLessThan(cold.report.targetPasses);
});

test("a search is the same for the same seed, and another for another", async () => {
  const model = scriptedModel({
    law: randomLaw({ seed: 4, vocabularySize: V, order: 2 }),
    vocabularySize: V,
    tokenizer: false,
  });
  const decoder = speculative({
    drafters: aded({ search: "puct", iterations: 12, nodes: 6 }),
  });
  const passes = async (seed: number) => {
    const { report, tokens } = await generate(model, {
      prompt: [1, 2, 3, 1, 2],
      decoder,
      maxTokens: 60,
      temperature: 1,
      seed,
    });
    return [report.targetPasses, report.accepted, report.drafted, tokens];
  };
  expect(await passes(3)).toEqual(await passes(3));
  expect(await passes(3)).not.toEqual(await passes(4));
});

test("a table of another model is refused before the answer", async () => {
  const drafter = aded({ table: count([[1, 2, 3]]) });
  await expect(drafter.prepare!({ ...MODEL, contentHash: "other" })).rejects.toThrow(
    /^The table of aded was made for model model/,
  );
  await expect(aded({ table: count([[1, 2]], 1) }).prepare!(MODEL)).rejects.toThrow(/contexts of 1 tokens/);
  expect(count([[1, 2, 3]]).row(pairKey(V, 1, 2))).toBeDefined();
});
