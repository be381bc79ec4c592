import { generate, plain, type RowInput, speculative } from "@foretoken/core";
import type { TrainedPart } from "@foretoken/drafting";
import type { RuntimeModel } from "@foretoken/runtime";
import { tinyModel } from "@foretoken/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mapsFor } from "./__fixtures__/transfer-maps.ts";
import { hiddenTransfer } from "./hidden-transfer.ts";
import { transferExtensions, transferInputs } from "./transfer-extensions.ts";
import type { TransferShape } from "./transfer-maps.ts";

type Maps = TrainedPart<TransferShape>;

const LAYERS = 4;
const TEXT = [5, 9, 2, 33, 71, 140, 8];
/** r, A, B (children of r), C (child of A). */
const TREE: readonly RowInput[] = [
  { token: 20, parent: -1 },
  { token: 31, parent: 0 },
  { token: 42, parent: 0 },
  { token: 53, parent: 1 },
];

let model: RuntimeModel;
beforeAll(async () => {
  model = await tinyModel(6, { layers: LAYERS });
});
afterAll(() => model.dispose());

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at]!)), 0);
}

/** Pseudo rows of two steps under each of the first `nodes` rows, which `fill` says what to feed. */
function pseudoRows(
  maps: Maps,
  nodes: number,
  { fill = (): number => 0, levels = (step: number) => step, first = TREE.length } = {},
): RowInput[] {
  const { step: stepName, source } = transferInputs(maps);
  return Array.from({ length: 2 * nodes }, (_, index): RowInput => {
    const step = 1 + (index % 2);
    return {
      embedding: Float32Array.from({ length: model.width }, fill),
      parent: step === 1 ? index / 2 : first + index - 1,
      integers: { [stepName]: step, [source]: levels(step) },
    };
  });
}

/** Logits of all rows behind the text. */
async function logitsOf(rows: readonly RowInput[]): Promise<Float32Array[]> {
  const session = model.createSession();
  session.commit((await session.forward(TEXT.map((token) => ({ token })))).rows);
  const pass = await session.forward(rows, { logits: "all" });
  const logits = await Promise.all(rows.map(async (_, row) => (await pass.logits(row)).slice()));
  session.dispose();
  return logits;
}

describe("rows of one pass", () => {
  const accuracy = [[0.5], [0.3]];
  let one: Maps;
  let wild: Maps;
  beforeAll(async () => {
    one = mapsFor(model, { accuracy, layers: [1, 3] });
    // Values a thousand times those of the stream.
    wild = mapsFor(model, {
      accuracy,
      layers: [2, 2],
      hash: "2",
      bias: (_, output) => 1e4 * Math.sin(output),
    });
    await model.prepare({ extensions: [...transferExtensions(one), ...transferExtensions(wild)] });
  });

  test("real rows are the same whatever the pseudo rows are, to the last bit", async () => {
    const given = await logitsOf([...TREE, ...pseudoRows(one, 4)]);
    const other = await logitsOf([...TREE, ...pseudoRows(wild, 4)]);
    for (const row of TREE.keys()) expect(distance(given[row]!, other[row]!)).toBe(0);
    for (let row = 4; row < 12; row++) expect(distance(given[row]!, other[row]!)).toBeGreaterThan(0.1);
  });

  test("real rows are the same without pseudo rows, up to the order of sums", async () => {
    const given = await logitsOf([...TREE, ...pseudoRows(one, 4)]);
    const without = await logitsOf(TREE);
    for (const row of TREE.keys()) expect(distance(given[row]!, without[row]!)).toBeLessThan(1e-4);
  });

  test("what pseudo rows were fed is gone behind their layer, as if they had joined there", async () => {
    const zeros = await logitsOf([...TREE, ...pseudoRows(one, 4)]);
    const noise = await logitsOf([...TREE, ...pseudoRows(one, 4, { fill: () => 3 })]);
    for (const row of zeros.keys()) expect(distance(zeros[row]!, noise[row]!)).toBe(0);
  });

  test("pseudo rows see their own node and chain only", async () => {
    const all = await logitsOf([...TREE, ...pseudoRows(one, 4)]);
    // C with its path alone: its chain is that of rows 10 and 11 of the whole.
    const chain = pseudoRows(one, 1, { first: 3 }).map((row, step) => ({ ...row, parent: 2 + step }));
    const path = [TREE[0]!, TREE[1]!, { ...TREE[3]!, parent: 1 }];
    const alone = await logitsOf([...path, ...chain]);
    expect(distance(all[10]!, alone[3]!)).toBeLessThan(1e-4);
    expect(distance(all[11]!, alone[4]!)).toBeLessThan(1e-4);
    // And step 2 sees step 1: without it, it says something else.
    const { step, source } = transferInputs(one);
    const orphan = { ...chain[1]!, parent: 2, integers: { [step]: 2, [source]: 1 } };
    expect(distance(all[11]!, (await logitsOf([...path, orphan]))[3]!)).toBeGreaterThan(1e-3);
  });

  test("a text goes on as if there had been none", async () => {
    const session = model.createSession();
    session.commit((await session.forward(TEXT.map((token) => ({ token })))).rows);
    const pass = await session.forward([...TREE, ...pseudoRows(wild, 4)]);
    session.commit([pass.rows[0]!, pass.rows[1]!, pass.rows[3]!]);
    expect([session.pendingCount, session.tokens]).toEqual([0, [...TEXT, 20, 31, 53]]);
    const next = await session.forward([{ token: 7 }], { logits: "all" });
    const fresh = model.createSession();
    const whole = await fresh.forward(
      [...session.tokens, 7].map((token) => ({ token })),
      { logits: "last" },
    );
    expect(distance(await next.logits(0), await whole.logits(TEXT.length + 3))).toBeLessThan(1e-4);
    session.dispose();
    fresh.dispose();
  });
});

describe("behind the last layer", () => {
  const accuracy = [[0.5], [0.3]];

  /** Final norm and head by hand, the norm's scales as one row with its final state tells them. */
  async function byHand(move: (state: Float32Array) => Float32Array): Promise<Float32Array> {
    await model.prepare({ hidden: [LAYERS, "final"] });
    const session = model.createSession();
    session.commit((await session.forward(TEXT.map((token) => ({ token })))).rows);
    const pass = await session.forward(TREE.slice(0, 1), { hidden: [LAYERS, "final"] });
    const [state, final] = [await pass.hidden(LAYERS).read(), await pass.hidden("final").read()];
    session.dispose();
    const normed = (values: Float32Array) => {
      const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      return values.map((value) => value / Math.sqrt(square + 1e-5));
    };
    const scales = normed(state).map((value, at) => final[at]! / value);
    const input = normed(move(state)).map((value, at) => value * scales[at]!);
    return Float32Array.from({ length: model.vocabularySize }, (_, token) =>
      model.embeddingOf(token).reduce((sum, value, at) => sum + value * input[at]!, 0),
    );
  }

  /** `W_step · state + b_step`. */
  const moved = (maps: Maps, step: number, state: Float32Array) => {
    const weight = maps.floats(`steps.${step}.weight`);
    return maps
      .floats(`steps.${step}.bias`)
      .map((bias, output) =>
        state.reduce((sum, value, input) => sum + weight[output * state.length + input]! * value, bias),
      );
  };

  test("a map is a linear Medusa head", async () => {
    const maps = mapsFor(model, { accuracy, layers: [LAYERS, LAYERS], hash: "3" });
    await model.prepare({ extensions: transferExtensions(maps) });
    const logits = await logitsOf([TREE[0]!, ...pseudoRows(maps, 1, { first: 1 })]);
    for (const step of [1, 2]) {
      const expected = await byHand((state) => moved(maps, step, state));
      expect(distance(logits[step]!, expected)).toBeLessThan(1e-3);
    }
  });

  test("a map may move the state of the pseudo row before", async () => {
    const maps = mapsFor(model, { accuracy, layers: [LAYERS, LAYERS], hash: "4" });
    await model.prepare({ extensions: transferExtensions(maps) });
    const logits = await logitsOf([TREE[0]!, ...pseudoRows(maps, 1, { first: 1, levels: () => 1 })]);
    const expected = await byHand((state) => moved(maps, 2, moved(maps, 1, state)));
    expect(distance(logits[2]!, expected)).toBeLessThan(1e-3);
  });
});

describe("whole answers are plain decoding's", () => {
  const decoderFor = (maps: Maps, source?: "node" | "previous") =>
    speculative({ drafters: hiddenTransfer({ head: maps, rows: 12, ...(source && { source }) }) });

  test.each<[string, (on: RuntimeModel) => Maps]>([
    ["with random maps", (on) => mapsFor(on, { hash: "5", layers: [1, 2, 4] })],
    ["with maps to zero", (on) => mapsFor(on, { hash: "6", weight: () => 0, bias: () => 0 })],
    ["with maps of the embeddings", (on) => mapsFor(on, { hash: "7", layers: [0, 0, 2] })],
  ])("%s, greedy and drawn", async (_, mapsOn) => {
    for (const temperature of [0, 0.8]) {
      const options = { prompt: TEXT, maxTokens: 40, seed: 11, temperature };
      const expected = await generate(model, { ...options, decoder: plain() });
      for (const source of ["node", "previous"] as const) {
        const given = await generate(model, { ...options, decoder: decoderFor(mapsOn(model), source) });
        expect(given.tokens).toEqual(expected.tokens);
      }
    }
    expect(model.cacheUse.rows).toBe(0);
  });

  test("several at once, with other maps each", async () => {
    const prompts = [TEXT, TEXT.slice(2), TEXT.slice(0, 3)];
    const options = { maxTokens: 30, temperature: 0.8, seed: 5 };
    const decoders = [
      decoderFor(mapsFor(model, { hash: "5", layers: [1, 2, 4] })),
      decoderFor(mapsFor(model, { hash: "8", layers: [3, 3, 3] })),
      plain(),
    ];
    const given = await Promise.all(
      prompts.map((prompt, at) => generate(model, { ...options, prompt, decoder: decoders[at]! })),
    );
    for (const [at, prompt] of prompts.entries()) {
      const { tokens } = await generate(model, { ...options, prompt, decoder: plain() });
      expect(given[at]!.tokens).toEqual(tokens);
    }
  });
});
