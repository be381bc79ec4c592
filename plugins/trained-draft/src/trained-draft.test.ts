import { lawStateFor, type Model, seededRandom, TokenTree } from "@foretoken/core";
import type { FeatureHead } from "@foretoken/drafting";
import { fileSource, loadRuntime, openGguf, type RuntimeModel } from "@foretoken/runtime";
import { randomLaw, scriptedModel, testSource } from "@foretoken/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shared } from "../../../test/shared.ts";
import { trainedDraft } from "./trained-draft.ts";

/** What the source knows of a head before the target loads it; every token is in its vocabulary unless others are named. */
function headFor(target: Model, vocabulary?: readonly number[]): FeatureHead {
  const { contentHash, width, vocabularySize } = target;
  const ids = vocabulary ?? Array.from({ length: vocabularySize }, (_, token) => token);
  return {
    id: "head",
    contentHash: "1".repeat(64),
    vocabulary: Int32Array.from(ids),
    tensor: () => undefined,
    floats: () => new Float32Array(),
    integers: () => new Int32Array(),
    manifest: {
      kind: "feature-head",
      name: "head",
      base: { file: "target.gguf", sha256: contentHash, dequantizedSha256: contentHash },
      weights: { file: "model.safetensors", bytes: 1, sha256: "1".repeat(64) },
      shape: {
        width,
        heads: 1,
        keyValueHeads: 1,
        headSize: width,
        feedForwardWidth: 1,
        vocabulary: ids.length,
      },
    },
  };
}

testSource(
  "trained draft",
  (target) => {
    const { vocabularySize } = target;
    const law = randomLaw({ seed: 12, vocabularySize, order: 4 });
    const head = scriptedModel({ id: "head", vocabularySize, law });
    Object.assign(target, { loadHead: async () => head });
    return trainedDraft({ head: headFor(target) });
  },
  { draws: 2_000 },
);

describe("a head on a real graph", () => {
  const folder = new URL("../../../packages/drafting/src/__fixtures__/tiny-head/", import.meta.url);
  let target: RuntimeModel;
  const context = () => ({
    random: seededRandom(1),
    law: lawStateFor({ temperature: 1 }, { vocabularySize: target.vocabularySize, promptTokens: [] }),
  });

  beforeAll(async () => {
    const weights = await openGguf(await fileSource(shared("fixtures/gguf/llama-small-F16.gguf")));
    target = await loadRuntime(weights, { dtype: "fp32", threads: 1 });
  });
  afterAll(() => target.dispose());

  /** The head's laws of the root and one drafted token behind `text`, whose last token is the root. */
  async function lawsBehind(text: readonly number[], chunk: number, drafted: number) {
    const source = trainedDraft({ head: folder });
    await target.prepare(source.requirements(target));
    await source.prepare!(target);
    const session = target.createSession();
    const state = source.start({ model: target, session, missingPrefix: 0 });
    const prompt = text.slice(0, -1);
    for (let from = 0; from < prompt.length; from += chunk) {
      const rowTokens = prompt.slice(from, from + chunk);
      const rows = rowTokens.map((token) => ({ token }));
      const pass = await session.forward(rows, { hidden: ["final"] });
      const order = [...rowTokens.keys()];
      const parents = order.map((row) => row - 1);
      const round = { kind: "prefill" as const, pass, position: from, rowTokens, parents, committed: order };
      await state.observe({ ...round, next: undefined, probes: [] });
      session.commit(pass.rows);
    }
    const tree = new TokenTree(text[text.length - 1]);
    state.begin(tree, context());
    const [root] = await state.expand([0]);
    const node = tree.add(0, drafted, root!, "test");
    const [behind] = await state.expand([node]);
    session.dispose();
    state.dispose();
    return [root!, behind!];
  }

  test("drafts the same whatever pieces the prompt came in", async () => {
    const text = [5, 17, 300, 41, 8, 99, 412, 3];
    const whole = await lawsBehind(text, 16, 7);
    const pieces = await lawsBehind(text, 3, 7);
    for (const [index, law] of whole.entries()) {
      let mass = 0;
      law.forEach((token, probability) => {
        mass += probability;
        expect(pieces[index].probability(token)).toBeCloseTo(probability, 5);
      });
      expect(mass).toBeCloseTo(1, 6);
    }
  });

  test("gives tokens outside its vocabulary nothing", async () => {
    const [law] = await lawsBehind([5, 17, 300], 16, 7);
    let known = 0;
    law.forEach((_, probability) => {
      if (probability > 0) known++;
    });
    expect(known).toBe(96);
  });

  test("refuses other weights than those it was trained on, and a model that takes no heads", async () => {
    const source = trainedDraft({
      head: { ...headFor(target), manifest: headFor(otherThan(target)).manifest },
    });
    await expect(source.prepare!(target)).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("was trained on target.gguf"),
    });
    expect(source.unsupported!(target)).toHaveLength(1);
    const scripted = scriptedModel({ next: () => 0 });
    expect(trainedDraft({ head: folder }).unsupported!(scripted)).toEqual([
      expect.stringContaining("only models that @foretoken/runtime loads take heads"),
    ]);
  });

  test("must be prepared before it starts", () => {
    const start = () =>
      trainedDraft({ head: folder }).start({
        model: target,
        session: target.createSession(),
        missingPrefix: 0,
      });
    expect(start).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
  });
});

function otherThan(model: Model): Model {
  return { ...model, contentHash: "2".repeat(64), width: model.width, vocabularySize: model.vocabularySize };
}
