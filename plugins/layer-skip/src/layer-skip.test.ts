import {
  type DraftState,
  generate,
  lawStateFor,
  plain,
  type Session,
  seededRandom,
  TokenTree,
} from "@foretoken/core";
import { randomLaw, type ScriptedModel, scriptedModel, testSource } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { knownLayers } from "./known-layers.ts";
import { layerSkip } from "./layer-skip.ts";

testSource("layer skip", () => layerSkip({ layers: [0, 3] }), { draws: 3_000 });

const law = randomLaw({ seed: 3, vocabularySize: 6 });
const context = {
  random: seededRandom(1),
  law: lawStateFor({ temperature: 1 }, { vocabularySize: 6, promptTokens: [] }),
};

async function started(layers: readonly number[], text = [0, 1, 2, 3]) {
  const model = scriptedModel({ vocabularySize: 6, law, record: true });
  const source = layerSkip({ layers });
  await model.prepare(source.requirements(model));
  const session = model.createSession();
  session.commit((await session.forward(text.map((token) => ({ token })))).rows);
  return { model, session, state: source.start({ model, session, missingPrefix: 0 }) };
}

/** Expands the root and one child. */
async function twoLevels(state: DraftState, root = 4) {
  const tree = new TokenTree(root);
  state.begin(tree, context);
  const [behindRoot] = await state.expand([0]);
  const child = tree.add(0, behindRoot!.mode(), behindRoot!, "test");
  const [behindChild] = await state.expand([child]);
  return { tree, laws: [behindRoot!, behindChild!] };
}

const shares = (laws: readonly { probability(token: number): number }[]) =>
  laws.map((of) => [0, 1, 2, 3, 4, 5].map((token) => of.probability(token)));

describe("layer skip", () => {
  test("runs only what it drafts: the text is the target's own, seen through the layers left", async () => {
    const { model, state } = await started([1, 2]);
    await twoLevels(state);
    expect(model.inspection.log.map(({ rows }) => rows.map(({ token }) => token))).toEqual([
      [0, 1, 2, 3],
      [4],
      [expect.any(Number)],
    ]);
  });

  test("with all layers it is the target", async () => {
    const { model, state } = await started([0, 1, 2, 3]);
    const { tree, laws } = await twoLevels(state);
    const expected = [
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4, tree.nodes[1]!.token],
    ].map((text) => context.law.lawOf(model.logitsOf(text)));
    expect(shares(laws)).toEqual(shares(expected));
  });

  test("with some layers it is not the target", async () => {
    const { model, state } = await started([0, 1, 2]);
    const { laws } = await twoLevels(state);
    expect(shares([laws[0]!])).not.toEqual(shares([context.law.lawOf(model.logitsOf([0, 1, 2, 3, 4]))]));
  });

  test("its rows never reach the target's cache, and are freed when the target has decided", async () => {
    const { model, session, state } = await started([0, 3]);
    await twoLevels(state);
    expect(model.inspection).toMatchObject({ liveSessions: 2, pendingRows: 2 });
    const pass = await session.forward([{ token: 4 }], { logits: "all" });
    await state.observe({
      kind: "verify",
      pass,
      position: 4,
      rowTokens: [4],
      parents: [-1],
      committed: [0],
      next: 5,
      probes: [],
    });
    session.commit(pass.rows);
    expect(model.inspection).toMatchObject({ liveSessions: 1, pendingRows: 0, liveSlots: 5 });
    // Had a draft's row become text, a pass with all layers would meet a hole.
    await session.forward([{ token: 5 }]);
  });

  test("a pool without room for drafts ends drafting, not the answer", async () => {
    const options = { vocabularySize: 6, law, poolRows: 12 } as const;
    const prompt = [0, 1, 2, 3, 4, 5, 0, 1];
    const model = scriptedModel(options);
    const { session, state } = await withText(model, prompt);
    const blocker = await session.branch().forward([{ token: 1 }, { token: 2 }, { token: 3 }]);
    const tree = new TokenTree(2);
    state.begin(tree, context);
    const [first] = await state.expand([0]);
    const child = tree.add(0, 1, first!, "test");
    expect(await state.expand([child])).toEqual([undefined]);
    expect(blocker.rows).toHaveLength(3);
    const { tokens } = await generate(scriptedModel(options), { prompt, maxTokens: 2, decoder: plain() });
    expect(tokens).toHaveLength(2);
  });

  test("drafts up to the end of the context and no further", async () => {
    const model = scriptedModel({ vocabularySize: 6, law, contextLength: 6 });
    const { state } = await withText(model, [0, 1, 2, 3]);
    const tree = new TokenTree(2);
    state.begin(tree, context);
    const [first] = await state.expand([0]);
    const child = tree.add(0, 1, first!, "test");
    const [second] = await state.expand([child]);
    const last = tree.add(child, 1, second!, "test");
    expect(await state.expand([last])).toEqual([undefined]);
  });

  test("an abort ends its passes", async () => {
    const { state } = await started([0, 3]);
    const abort = new AbortController();
    state.begin(new TokenTree(4), { ...context, signal: abort.signal });
    abort.abort();
    await expect(state.expand([0])).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("says which layers a model lacks, and that it knows none for a model nobody searched", () => {
    const model = scriptedModel({ vocabularySize: 6, law, layers: 4, id: "tiny" });
    expect(layerSkip({ layers: [0, 7] }).unsupported!(model)).toEqual([
      "layer-skip was told to run layer 7, but tiny has the layers 0 to 3.",
    ]);
    expect(layerSkip().unsupported!(model)).toEqual([
      "layer-skip knows no layers that draft well for tiny: name those that run, { layers: [0, 1, …] }.",
    ]);
    expect(knownLayers(model)).toBeUndefined();
    expect(layerSkip({ layers: [0, 3] }).unsupported!(model)).toEqual([]);
  });
});

async function withText(
  model: ScriptedModel,
  text: readonly number[],
): Promise<{ session: Session; state: DraftState }> {
  const source = layerSkip({ layers: [0, 3] });
  await model.prepare(source.requirements(model));
  const session = model.createSession();
  session.commit((await session.forward(text.map((token) => ({ token })))).rows);
  return { session, state: source.start({ model, session, missingPrefix: 0 }) };
}
