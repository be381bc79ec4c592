import {
  type DraftState,
  lawStateFor,
  type Model,
  type Session,
  seededRandom,
  TokenTree,
} from "@foretoken/core";
import { randomLaw, type ScriptedModel, scriptedModel, testSource } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { draftModel } from "./draft-model.ts";
import { vocabularyDifference } from "./vocabulary.ts";

/** A draft for a scripted target, with the target's texts. */
const draftFor = (target: Model): ScriptedModel => {
  const { vocabularySize } = target;
  const draft = scriptedModel({
    id: "draft",
    vocabularySize,
    law: randomLaw({ seed: 12, vocabularySize, order: 4 }),
    record: true,
  });
  // Some suites give their target a tokenizer of its own.
  return Object.assign(draft, { tokenizer: target.tokenizer });
};

testSource("draft model", (target) => draftModel({ model: draftFor(target) }), { draws: 2_000 });

const context = {
  random: seededRandom(1),
  law: lawStateFor({ temperature: 1 }, { vocabularySize: 6, promptTokens: [] }),
};
const targetModel = (options = {}) =>
  scriptedModel({
    id: "target",
    vocabularySize: 6,
    law: randomLaw({ seed: 4, vocabularySize: 6 }),
    ...options,
  });

interface Started {
  readonly target: ScriptedModel;
  readonly draft: ScriptedModel;
  readonly session: Session;
  readonly state: DraftState;
}

async function started(text: readonly number[], draftOptions = {}): Promise<Started> {
  const target = targetModel();
  const draft = scriptedModel({
    id: "draft",
    vocabularySize: 6,
    law: randomLaw({ seed: 12, vocabularySize: 6 }),
    record: true,
    ...draftOptions,
  });
  const source = draftModel({ model: draft });
  await source.prepare!(target);
  const session = target.createSession();
  session.commit((await session.forward(text.map((token) => ({ token })))).rows);
  return { target, draft, session, state: source.start({ model: target, session, missingPrefix: 0 }) };
}

/** Lets the target run and accept a chain of tokens, the root first. */
async function accept({ session, state }: Started, tokens: readonly number[], next: number): Promise<void> {
  const pass = await session.forward(
    tokens.map((token) => ({ token })),
    { logits: "all" },
  );
  await state.observe({
    kind: "verify",
    pass,
    position: session.tokens.length,
    rowTokens: tokens,
    parents: tokens.map((_, row) => row - 1),
    committed: tokens.map((_, row) => row),
    next,
    probes: [],
  });
  session.commit(pass.rows);
}

const rowsOf = ({ inspection }: ScriptedModel) =>
  inspection.log.map(({ rows }) => rows.map(({ token }) => token));

describe("a draft model", () => {
  test("catches up on the text and runs the root in one pass", async () => {
    const { draft, state } = await started([0, 1, 2, 3]);
    state.begin(new TokenTree(4), context);
    const [behindRoot] = await state.expand([0]);
    expect(rowsOf(draft)).toEqual([[0, 1, 2, 3, 4]]);
    const expected = context.law.lawOf(draft.logitsOf([0, 1, 2, 3, 4]));
    expect(behindRoot!.probability(2)).toBeCloseTo(expected.probability(2), 9);
  });

  test("keeps the rows of accepted drafts, and runs what others drafted with its next pass", async () => {
    const all = await started([0, 1, 2]);
    const { draft, state } = all;
    const tree = new TokenTree(3);
    state.begin(tree, context);
    const [law] = await state.expand([0]);
    const nodes = [4, 5].map((token) => tree.add(0, token, law!, "test"));
    await state.expand(nodes);
    await accept(all, [3, 5, 1], 0);
    state.begin(new TokenTree(0), context);
    await state.expand([0]);
    expect(rowsOf(draft)).toEqual([
      [0, 1, 2, 3],
      [4, 5],
      [1, 0],
    ]);
  });

  test("runs a long text in pieces that an abort can end", async () => {
    const text = Array.from({ length: 300 }, (_, index) => index % 6);
    const draft = scriptedModel({
      vocabularySize: 6,
      law: () => [1, 1, 1, 1, 1, 1],
      contextLength: 512,
      record: true,
    });
    const target = targetModel({ contextLength: 512 });
    const source = draftModel({ model: draft });
    await source.prepare!(target);
    const session = target.createSession();
    session.commit((await session.forward(text.map((token) => ({ token })))).rows);
    const state = source.start({ model: target, session, missingPrefix: 0 });
    const abort = new AbortController();
    draft.inspection.faults.onAwait = (point) => {
      if (point === "run" && draft.inspection.passes === 1) abort.abort();
    };
    state.begin(new TokenTree(0), { ...context, signal: abort.signal });
    await expect(state.expand([0])).rejects.toMatchObject({ code: "ABORTED" });
    draft.inspection.faults.onAwait = undefined;
    state.begin(new TokenTree(0), context);
    await state.expand([0]);
    const rows = rowsOf(draft).flat();
    expect(rows.length).toBeLessThanOrEqual(301 + 128);
    expect(Math.max(...rowsOf(draft).map(({ length }) => length))).toBeLessThanOrEqual(129);
  });

  test("stops drafting where its context ends, which may be before the target's", async () => {
    const all = await started([0, 1, 2], { contextLength: 5 });
    const tree = new TokenTree(3);
    all.state.begin(tree, context);
    const [law] = await all.state.expand([0]);
    const child = tree.add(0, 4, law!, "test");
    const [next] = await all.state.expand([child]);
    const last = tree.add(child, 1, next!, "test");
    expect(await all.state.expand([last])).toEqual([undefined]);
    await accept(all, [3, 4, 1, 2], 0);
    const before = all.draft.inspection.passes;
    all.state.begin(new TokenTree(0), context);
    expect(await all.state.expand([0])).toEqual([undefined]);
    expect(all.draft.inspection.passes).toBe(before);
  });

  test("frees its session when it is disposed, and not the model", async () => {
    const { draft, state } = await started([0, 1, 2]);
    state.begin(new TokenTree(3), context);
    await state.expand([0]);
    state.dispose();
    expect(draft.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0 });
    draft.createSession().dispose();
  });

  test("is loaded once, however many answers there are, and again after loading failed", async () => {
    let loads = 0;
    const target = targetModel();
    const source = draftModel({
      model: async () => {
        if (++loads === 1) throw new Error("offline");
        return draftFor(target);
      },
    });
    expect(() => source.start({ model: target, session: target.createSession(), missingPrefix: 0 })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED" }),
    );
    await expect(source.prepare!(target)).rejects.toThrow("offline");
    await Promise.all([source.prepare!(target), source.prepare!(target)]);
    await source.prepare!(target);
    expect(loads).toBe(2);
  });
});

describe("the vocabulary of a draft model", () => {
  const model = (texts: readonly (string | Uint8Array)[], id: string, endTokens: readonly number[] = []) =>
    scriptedModel({
      id,
      vocabularySize: texts.length,
      next: () => 0,
      tokenizer: { texts, endTokens },
    });
  const target = model(["a", " the", "c", "<end>"], "target", [3]);

  test("may be the target's", () => {
    expect(vocabularyDifference(target, model(["a", " the", "c", "<end>"], "draft", [3]))).toBeUndefined();
  });

  test.each([
    [model(["a", "the", "d", "<end>"], "draft", [3]), 'token 1 is " the" to target, but "the" to draft'],
    [
      model(["a", " the", "c", "<end>"], "draft"),
      'token 3 is the control token "<end>" to target, but "<end>" to draft',
    ],
    [
      model(["a", " the", Uint8Array.of(0xe4, 0x20), "<end>"], "draft", [3]),
      'token 2 is "c" to target, but the bytes e4 20 to draft',
    ],
    [
      model(["a", " the", "c", "<end>", "more"], "draft", [3]),
      'token 4 is "more" to draft, but the other has 4 tokens only',
    ],
  ])("may not be another: case %#", async (draft, difference) => {
    expect(vocabularyDifference(target, draft)).toBe(difference);
    await expect(draftModel({ model: draft }).prepare!(target)).rejects.toMatchObject({
      code: "VOCABULARY_MISMATCH",
      message: `draft cannot draft for target: ${difference}.`,
    });
  });
});
