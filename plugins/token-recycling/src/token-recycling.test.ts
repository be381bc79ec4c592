import {
  DecodeEmitter,
  type DraftContext,
  type Drafting,
  fixedBudget,
  generate,
  hasCode,
  type Model,
  type Pass,
  type ProposeContext,
  plain,
  type Round,
  speculative,
  type TokenId,
  type TokenTree,
} from "@foretoken/core";
import { modelOwner, SuccessorCounts, TableStore, TokenTable } from "@foretoken/drafting";
import { randomLaw, type ScriptedModelOptions, scriptedModel } from "@foretoken/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { TokenRecyclingOptions } from "./options.ts";
import { tokenRecycling } from "./token-recycling.ts";

const V = 12;
const MODEL = { contentHash: "model", vocabularySize: V } as Model;

const start = (options: TokenRecyclingOptions): Drafting =>
  tokenRecycling(options).start({ model: MODEL } as DraftContext);

/** Small enough to check by eye: a root with two children, the first of which has two. */
const TINY = { candidatesPerToken: 2, template: [[2], [2, 0]] };

const propose = (drafting: Drafting, root: TokenId, limit = 80, depth?: number) =>
  drafting.propose(root, limit, { depth } as ProposeContext) as TokenTree;
const tokensOf = (tree: TokenTree) => tree.nodes.slice(1).map(({ token }) => token);

/** A verified pass whose rows were fed `rowTokens` and answered `topK`. */
const round = (
  rowTokens: readonly TokenId[],
  topK: readonly (readonly TokenId[])[],
  kind: Round["kind"] = "verify",
) =>
  ({
    kind,
    rowTokens,
    pass: {
      topK: async (row: number, k: number) => ({ ids: Int32Array.from(topK[row]!.slice(0, k)) }),
    } as unknown as Pass,
  }) as Round;

test("drafts the candidates of the rows it saw, keyed by what each row was fed", async () => {
  const drafting = start(TINY);
  await drafting.observe(
    round(
      [0, 1, 2],
      [
        [1, 2],
        [3, 0],
        [2, 1],
      ],
    ),
  );
  const tree = propose(drafting, 0);
  //  0 ─┬─ 1 ─┬─ 3
  //     │     └─ 0
  //     └─ 2
  expect(tokensOf(tree)).toEqual([1, 2, 3, 0]);
  expect(tree.nodes.map(({ parent }) => parent)).toEqual([-1, 0, 0, 1, 1]);
  expect(tokensOf(propose(drafting, 0, 80, 1))).toEqual([1, 2]);
});

test("drafts nothing behind a token it never saw fed, and nothing at first", async () => {
  const drafting = start(TINY);
  expect(propose(drafting, 0).size).toBe(0);
  await drafting.observe(round([0], [[1, 2]]));
  expect(tokensOf(propose(drafting, 0))).toEqual([1, 2]);
  expect(propose(drafting, 1).size).toBe(0);
});

test("keeps to the limit, best places first", async () => {
  const drafting = start(TINY);
  await drafting.observe(
    round(
      [0, 1, 2],
      [
        [1, 2],
        [3, 0],
        [2, 1],
      ],
    ),
  );
  expect([1, 2, 3, 4, 99].map((limit) => tokensOf(propose(drafting, 0, limit)))).toEqual([
    [1],
    [1, 2],
    [1, 2, 3],
    [1, 2, 3, 0],
    [1, 2, 3, 0],
  ]);
});

test("after a round every fed token has the candidates of the last row that was fed it, and no other row changed", async () => {
  const rows = fc.array(
    fc.tuple(fc.nat(V - 1), fc.uniqueArray(fc.nat(V - 1), { minLength: 2, maxLength: 2 })),
    { minLength: 1, maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(rows, rows, async (before, after) => {
      const store = new TableStore();
      const drafting = start({ ...TINY, store });
      const expected = new Map<TokenId, readonly TokenId[]>();
      for (const pass of [before, after]) {
        await drafting.observe(
          round(
            pass.map(([token]) => token),
            pass.map(([, ids]) => ids),
          ),
        );
        for (const [token, ids] of pass) expected.set(token, ids);
      }
      const table = store.tableFor(MODEL, 2);
      for (let token = 0; token < V; token++) expect(table.row(token)).toEqual(expected.get(token) ?? []);
    }),
  );
});

test("prompt rows are kept only where they were asked for", async () => {
  const prompt = round(
    [0, 1],
    [
      [5, 6],
      [7, 8],
    ],
    "prefill",
  );
  const cold = start(TINY);
  await cold.observe(prompt);
  expect(propose(cold, 0).size).toBe(0);
  const seeded = start({ ...TINY, seedFromPrompt: true });
  await seeded.observe(prompt);
  expect(tokensOf(propose(seeded, 0))).toEqual([5, 6]);
  expect(tokenRecycling(TINY).requirements(MODEL)).toEqual({ topK: 2 });
  expect(tokenRecycling({ ...TINY, seedFromPrompt: true }).requirements(MODEL)).toEqual({
    topK: 2,
    prefillTopK: 2,
  });
});

test("a fork learns for itself; with a shared store all learn together, with a copied one nobody else does", async () => {
  const learn = (drafting: Drafting) => drafting.observe(round([0], [[1, 2]]));
  const knows = (drafting: Drafting) => propose(drafting, 0).size > 0;

  const own = start(TINY);
  const fork = own.fork({} as DraftContext["session"]);
  await learn(fork);
  expect([knows(own), knows(fork), knows(start(TINY))]).toEqual([false, true, false]);

  const store = new TableStore();
  const shared = start({ ...TINY, store });
  await learn(shared.fork({} as DraftContext["session"]));
  expect([knows(shared), knows(start({ ...TINY, store }))]).toEqual([true, true]);

  const loaded = new TableStore();
  loaded.set("model", new TokenTable({ vocabularySize: V, candidatesPerToken: 2 }));
  loaded.tableFor(MODEL, 2).set(1, [3, 4]);
  const copy = start({ ...TINY, store: loaded, copyStore: true });
  expect(tokensOf(propose(copy, 1))).toEqual([3, 4]);
  await learn(copy);
  expect([knows(copy), loaded.tableFor(MODEL, 2).has(0)]).toEqual([true, false]);
});

/** A first-order chain through all tokens: the token behind `t` is always the same. */
const chain = (size: number): Partial<ScriptedModelOptions> => ({
  vocabularySize: size,
  next: (tokens) => (tokens.at(-1)! * 5 + 3) % size,
});

test("on a first-order chain every round gives depth + 1 tokens once each row was written", async () => {
  // 5t + 3 mod 16 runs through all 16 tokens; a row keyed by the token it predicts would never be right.
  const model = scriptedModel({ ...chain(16), contextLength: 400 });
  const store = new TableStore();
  const decoder = speculative({ drafters: tokenRecycling({ store }), budget: fixedBudget({ nodes: 80 }) });
  const options = { prompt: [1], ignoreEnd: true, decoder };
  await generate(model, { ...options, maxTokens: 200 });
  const events = new DecodeEmitter();
  const emitted: number[] = [];
  events.on("step", ({ tokens }) => emitted.push(tokens.length));
  await generate(model, { ...options, maxTokens: 300, events });
  // Where less than a whole tree of tokens is left to write, trees are smaller.
  expect(emitted.slice(0, 30)).toEqual(new Array(30).fill(7));
});

test("whatever the table holds, the text is plain decoding's", async () => {
  const law = randomLaw({ seed: 5, vocabularySize: 8, order: 2 });
  const tables: Record<string, (token: TokenId) => TokenId[]> = {
    zeros: () => [0, 0, 0, 0, 0, 0, 0, 0],
    reversed: (token) => [7, 6, 5, 4, 3, 2, 1, 0].map((rank) => (token + rank) % 8),
    lonely: (token) => [token],
  };
  for (const [name, row] of Object.entries(tables)) {
    for (const temperature of [0, 0.8]) {
      const model = scriptedModel({ law });
      const store = new TableStore();
      for (let token = 0; token < 8; token++) store.tableFor(model, 8).set(token, row(token));
      const decoder = speculative({
        drafters: tokenRecycling({ store }),
        budget: fixedBudget({ nodes: 80 }),
      });
      const options = { prompt: [1, 2], maxTokens: 60, temperature, seed: 11, ignoreEnd: true };
      const expected = await generate(model, { ...options, decoder: plain() });
      const given = await generate(model, { ...options, decoder });
      expect(given.tokens, `${name} at ${temperature}`).toEqual(expected.tokens);
    }
  }
});

test("a template that needs more candidates than are kept is refused with both numbers", () => {
  try {
    tokenRecycling({ candidatesPerToken: 4 });
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, "INVALID_OPTION")).toBe(true);
    expect((error as Error).message).toMatch(/candidatesPerToken .* 4, .* 8 children/);
  }
});

test.each([
  [{ nodes: 0 }, "nodes", "0"],
  [{ candidatesPerToken: 65 }, "candidatesPerToken", "65"],
  [{ store: {} }, "store", "TableStore"],
  [{ template: [] }, "template", ""],
  [{ matrix: 1 }, "matrix", "1"],
])("options %j are refused with name and value", (options, name, value) => {
  try {
    tokenRecycling(options as TokenRecyclingOptions);
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, "INVALID_OPTION")).toBe(true);
    expect((error as Error).message).toContain(name);
    expect((error as Error).message).toContain(value);
  }
});

test("start values are drafted at once, learnt over, and never written to", async () => {
  const counts = new SuccessorCounts({ order: 1, vocabularySize: V, owner: modelOwner(MODEL) });
  counts.addText([0, 1, 3, 0, 1, 0, 2]);
  const given = counts.table();
  const drafter = tokenRecycling({ ...TINY, start: given });
  const begin = () => drafter.start({ model: MODEL } as DraftContext);
  const drafting = begin();
  expect(tokensOf(propose(drafting, 0))).toEqual([1, 2, 0, 3]);
  await drafting.observe(round([0], [[5, 6]]));
  expect(tokensOf(propose(drafting, 0))).toEqual([5, 6]);
  expect(tokensOf(propose(begin(), 0))).toEqual([1, 2, 0, 3]);
});

test("start values of another model, or beside a store, are refused", () => {
  const counts = new SuccessorCounts({
    order: 1,
    vocabularySize: V,
    owner: modelOwner({ contentHash: "other" }),
  });
  expect(() => start({ ...TINY, start: counts.table() })).toThrow(
    /^The start of token-recycling was made for model other/,
  );
  expect(() => tokenRecycling({ start: counts.table(), store: new TableStore() })).toThrow(
    /^start and store/,
  );
});
