import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RowInput, Session } from "@foretoken/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shared } from "../../../test/shared.ts";
import { distance } from "./__fixtures__/distance.ts";
import { fusedOnCpu } from "./__fixtures__/fused-on-cpu.ts";
import { adds, copies } from "./__fixtures__/small-extensions.ts";
import { tinyModel } from "./__fixtures__/tiny-model.ts";
import { Engine } from "./engine.ts";
import type { GraphBuilder, Value } from "./graph/graph-builder.ts";
import type { GraphExtension } from "./graph/graph-extension.ts";
import type { RuntimeModel } from "./load-runtime.ts";
import { fileSource } from "./weights/byte-source.ts";
import { openGguf } from "./weights/open-gguf.ts";

/** Width of the tiny models. */
const WIDTH = 256;
const NOISE = 2e-5;

const code = (expected: string) => expect.objectContaining({ name: "DecodingError", code: expected });

/** Adds a constant to every row whose `shift.on` is 1; `hash` tells one set of weights from another. */
function shifts(hash: string, by: number, site: GraphExtension["site"] = { after: 1 }): GraphExtension {
  return {
    name: `shift.${hash}`,
    site,
    rowIntegers: [`shift.${hash}.on`],
    build(graph, stream) {
      const bytes = new Uint8Array(Float32Array.from({ length: WIDTH }, (_, i) => by * (i % 7)).buffer);
      return graph.node("Add", [
        stream,
        scaled(
          graph,
          graph.weight(`shift.${hash}`, "float32", [WIDTH], () => bytes),
          hash,
        ),
      ]);
    },
  };
}

/** A vector for every row, times its integer. */
function scaled(graph: GraphBuilder, vector: Value, hash: string): Value {
  const on = graph.node("Cast", [`shift.${hash}.on`], { attributes: { to: 1n } });
  return graph.node("Mul", [graph.node("Unsqueeze", [on, graph.integers([2])]), vector]);
}

const text = (length: number, seed = 7) =>
  Array.from({ length }, (_, i) => (seed * 31 + i * 37 + (i % 7) * 11) % 512);

async function sessionWith(tokens: readonly number[], model: RuntimeModel): Promise<Session> {
  const session = model.createSession();
  session.commit((await session.forward(tokens.map((token) => ({ token })))).rows);
  return session;
}

const row = (states: Float32Array, index: number) => states.subarray(index * WIDTH, (index + 1) * WIDTH);

/** A row that copies the one `source` parents up. */
const copy = (source: number, parent: number): RowInput => ({
  embedding: new Float32Array(WIDTH).fill(0.5),
  parent,
  integers: { "copy.on": 1, "copy.source": source },
});

describe.each(["fp32", "stored"] as const)("ancestors, weights in %s", (dtype) => {
  let model: RuntimeModel;
  beforeAll(async () => {
    model = await tinyModel("llama-Q4_1", { dtype });
    await model.prepare({ extensions: [copies(WIDTH, { after: 1 })], hidden: [1, 2, "final"] });
  });
  afterAll(() => model.dispose());

  /** A tree of three rows, each with a chain of two copies of it behind: the second names the row two parents up. */
  const tree: readonly RowInput[] = [
    { token: 5, parent: -1 },
    { token: 6, parent: 0 },
    { token: 7, parent: 0 },
    copy(1, 0),
    copy(2, 3),
    copy(1, 2),
    copy(2, 5),
    copy(1, 1),
  ];
  const sources = [0, 0, 2, 2, 1];

  test("are the rows that a tree says they are, and other rows notice nothing", async () => {
    const session = await sessionWith(text(9), model);
    const pass = await session.forward(tree, { logits: "all", hidden: [1, 2] });
    const [behind, last] = [await pass.hidden(1).read(), await pass.hidden(2).read()];
    for (const [i, source] of sources.entries()) {
      expect(distance(row(behind, 3 + i), row(behind, source))).toBe(0);
      // What the layers behind make of the copy differs: it stands elsewhere and sees the original.
      expect(distance(row(last, 3 + i), row(last, source))).toBeGreaterThan(1e-3);
    }
    const logits = await Promise.all([0, 1, 2].map(async (node) => (await pass.logits(node)).slice()));
    const alone = await session.forward(tree.slice(0, 3), { logits: "all" });
    // Weights as stored round activations to 8 bits, so that another order of sums shows.
    for (const node of [0, 1, 2]) {
      expect(distance(await alone.logits(node), logits[node])).toBeLessThan(dtype === "fp32" ? 1e-4 : 1);
    }
    session.dispose();
  });

  test("are rows of their own call when calls are fused", async () => {
    const sessions = await Promise.all([3, 12, 6].map((length) => sessionWith(text(length, length), model)));
    const calls = [tree, [{ token: 3 }, { token: 4 }, copy(1, 1)], tree.slice(0, 6)];
    const passes = await Promise.all(
      sessions.map((session, i) => session.forward(calls[i], { logits: "all", hidden: [1] })),
    );
    expect(new Set(passes.map(({ elapsedMs }) => elapsedMs)).size).toBe(1);
    const expected = [sources, [1], sources.slice(0, 3)];
    for (const [i, pass] of passes.entries()) {
      const states = await pass.hidden(1).read();
      const first = calls[i].length - expected[i].length;
      for (const [probe, source] of expected[i].entries()) {
        expect(distance(row(states, first + probe), row(states, source))).toBe(0);
      }
    }
    for (const session of sessions) session.dispose();
  });

  test("that stand above the call are refused, and so are broken numbers", async () => {
    const session = await sessionWith(text(4), model);
    const pending = await session.forward([{ token: 1 }]);
    const refused = (rows: readonly RowInput[]) =>
      expect(session.forward(rows)).rejects.toThrow(code("INVALID_ROW"));
    await refused([copy(1, -1)]);
    await refused([{ token: 1 }, copy(2, 0)]);
    await refused([{ ...copy(1, 0), parent: pending.rows[0] }]);
    await refused([{ token: 1 }, copy(-1, 0)]);
    await refused([{ token: 1 }, copy(0.5, 0)]);
    await refused([{ token: 1, integers: { "copy.on": Number.NaN } }]);
    await expect(session.forward([{ token: 1 }, copy(2, 0)])).rejects.toThrow(
      /row 1 names the row 2 above it in "copy.source"/,
    );
    await expect(session.forward([{ token: 1, integers: { "copy.of": 1 } }])).rejects.toThrow(
      code("UNSUPPORTED"),
    );
    expect(session.pendingCount).toBe(1);
    // A row may name itself, and the row above it in a pending tree stays nameable within one call.
    await session.forward([{ token: 1, parent: pending.rows[0] }, copy(1, 0), copy(0, 0)]);
    session.dispose();
  });
});

test("a device that cuts passes cuts none between a row and its ancestor", async () => {
  const weights = await openGguf(await fileSource(shared("fixtures/gguf/llama-F16.gguf")));
  const options = { dtype: "fp32", cacheFolder: undefined, threads: 1, poolRows: 100 } as const;
  const engine = await Engine.open(weights, fusedOnCpu(false), options);
  await engine.prepare({ extensions: [copies(WIDTH, { after: 1 })], hidden: [1] });
  const states = async (mostRows: number) => {
    engine.executor.mostRows = mostRows;
    const slots = engine.pool.allocate(8, undefined);
    const named = [undefined, undefined, 1, undefined, undefined, 3, 4, undefined];
    const result = await engine.executor.run({
      rows: named.map((ancestor, position) => ({
        token: position,
        position,
        ...(ancestor !== undefined && {
          integers: { "copy.on": 1 },
          ancestors: { "copy.source": ancestor },
        }),
      })),
      texts: [
        {
          slots: [],
          rows: slots.map((slot, at) => ({
            slot,
            parent: at > 0 ? at - 1 : undefined,
            base: 0,
            ancestors: [],
          })),
        },
      ],
      slots,
      layers: undefined,
      logitRows: [],
      hidden: [1],
    });
    const read = await result.hidden.get(1)!.read(0, 8);
    result.dispose();
    for (const slot of [...slots].reverse()) engine.pool.release(slot);
    return read;
  };
  const whole = await states(Number.POSITIVE_INFINITY);
  expect(distance(row(whole, 5), row(whole, 3))).toBe(0);
  expect(distance(row(whole, 6), row(whole, 4))).toBe(0);
  // Cut before row 3 and row 7, though five rows would fit.
  expect(distance(await states(5), whole)).toBeLessThan(NOISE);
  await expect(states(3)).rejects.toThrow(code("UNSUPPORTED"));
  await engine.release();
});

describe("other inputs and places", () => {
  let model: RuntimeModel;
  beforeAll(async () => {
    model = await tinyModel("llama-F16");
    await model.prepare({
      extensions: [adds(WIDTH), copies(WIDTH, "logits"), shifts("one", 1, "head")],
      hidden: [0, 2, "final"],
    });
  });
  afterAll(() => model.dispose());

  test("a vector reaches its row, and rows without one get zeros, fused or not", async () => {
    const vector = Float32Array.from({ length: WIDTH }, (_, i) => Math.sin(i));
    const [one, two] = await Promise.all([sessionWith(text(5), model), sessionWith(text(3), model)]);
    const [, pass] = await Promise.all([
      one.forward([{ token: 8, vectors: { "add.vector": vector } }]),
      two.forward([{ token: 8 }, { token: 9, parent: -1, vectors: { "add.vector": vector } }], {
        hidden: [0],
      }),
    ]);
    const states = await pass.hidden(0).read();
    expect(distance(row(states, 0), model.embeddingOf(8))).toBe(0);
    const sum = model.embeddingOf(9).map((value, i) => value + vector[i]);
    expect(distance(row(states, 1), sum)).toBe(0);
    const fed = (values: Float32Array) => one.forward([{ token: 1, vectors: { "add.vector": values } }]);
    await expect(fed(new Float32Array(8))).rejects.toThrow(code("SHAPE_MISMATCH"));
    await expect(fed(vector.map(() => Number.NaN))).rejects.toThrow(code("INVALID_ROW"));
    await expect(one.forward([{ token: 1, vectors: { other: vector } }])).rejects.toThrow(
      /an extension with rowVectors "other"/,
    );
    one.dispose();
    two.dispose();
  });

  test("what stands before the head changes logits, not the final hidden state", async () => {
    const session = await sessionWith(text(6), model);
    const rows: RowInput[] = [
      { token: 3 },
      { token: 4, parent: 0, integers: { "copy.on": 1, "copy.source": 1 } },
    ];
    const pass = await session.forward(rows, { logits: "all", hidden: ["final"] });
    const states = await pass.hidden("final").read();
    expect(distance(row(states, 0), row(states, 1))).toBeGreaterThan(0.1);
    expect(distance(await pass.logits(1), await pass.logits(0))).toBe(0);
    // Only row 1 is wanted: the row it names is there all the same.
    const last = await session.forward(rows, { logits: "last" });
    expect(distance(await last.logits(1), await pass.logits(0))).toBeLessThan(NOISE);
    session.dispose();
  });

  test("what stands before the final norm changes the final hidden state, not the layers", async () => {
    const session = await sessionWith(text(6), model);
    const wants = { hidden: [2, "final"] } as const;
    const [plain, shifted] = [
      await session.forward([{ token: 3 }], wants),
      await session.forward([{ token: 3, parent: -1, integers: { "shift.one.on": 1 } }], wants),
    ];
    expect(distance(await plain.hidden(2).read(), await shifted.hidden(2).read())).toBeLessThan(NOISE);
    expect(
      distance(await plain.hidden("final").read(), await shifted.hidden("final").read()),
    ).toBeGreaterThan(0.1);
    session.dispose();
  });

  test("embeddings are copies, and only of tokens that exist", () => {
    model.embeddingOf(8).fill(0);
    expect(model.embeddingOf(8).some((value) => value !== 0)).toBe(true);
    expect(() => model.embeddingOf(512)).toThrow(code("UNKNOWN_TOKEN"));
  });
});

test("an extension on demand runs only in passes in which a row asks for it", async () => {
  const model = await tinyModel("llama-F16");
  const doubling: GraphExtension = {
    name: "doubling",
    site: { after: 1 },
    rowIntegers: ["doubling.on"],
    isOnDemand: true,
    build: (graph, stream) => graph.node("Add", [stream, stream]),
  };
  await model.prepare({ extensions: [doubling], hidden: [1] });
  const session = model.createSession();
  const stateOf = async (integers?: Record<string, number>) => {
    const pass = await session.forward([{ token: 1, integers, parent: -1 }], { hidden: [1] });
    return pass.hidden(1).read();
  };
  const plain = await stateOf();
  expect(
    distance(
      await stateOf({ "doubling.on": 0 }),
      plain.map((value) => 2 * value),
    ),
  ).toBe(0);
  expect(distance(await stateOf(), plain)).toBe(0);
  await model.dispose();
});

describe("extensions that come later", () => {
  test("keep what was there, and what cannot be built leaves the model as it was", async () => {
    const model = await tinyModel("llama-F16");
    const session = await sessionWith(text(5), model);
    const shifted = async (integers: Record<string, number>) => {
      const pass = await session.forward([{ token: 1, integers, parent: -1 }], { hidden: [1] });
      return pass.hidden(1).read();
    };
    await model.prepare({ extensions: [shifts("one", 1)], hidden: [1], gates: true });
    const plain = await shifted({});
    const one = await shifted({ "shift.one.on": 1 });
    await model.prepare({ extensions: [shifts("two", 2)] });
    // The same shape and another content: neither stands in for the other.
    const [again, two] = [await shifted({ "shift.one.on": 1 }), await shifted({ "shift.two.on": 1 })];
    const moved = (states: Float32Array) => states.map((value, i) => value - plain[i]);
    expect(distance(again, one)).toBeLessThan(NOISE);
    expect(
      distance(
        moved(two),
        moved(one).map((value) => 2 * value),
      ),
    ).toBeLessThan(NOISE);
    const clash: GraphExtension = { ...adds(WIDTH), name: "clash", rowVectors: { "shift.one.on": WIDTH } };
    await expect(model.prepare({ extensions: [clash] })).rejects.toThrow(
      /extensions shift.one and clash declare the input "shift.one.on" as integers and as vectors of 256/,
    );
    await model.prepare({ extensions: [shifts("three", 3)] });
    expect(distance(await shifted({ "shift.two.on": 1 }), two)).toBeLessThan(NOISE);
    expect(model.unsupported({ extensions: [shifts("four", 4, { after: 3 })] })).toEqual([
      expect.stringContaining("it stands behind 3 of 2 layers"),
    ]);
    await model.dispose();
  });

  test("leave the cached weights file alone, and find their own weights on the next start", async () => {
    const folder = mkdtempSync(join(tmpdir(), "foretoken-extensions-"));
    const stateWith = async (extension: GraphExtension, on: string) => {
      const model = await tinyModel("llama-F16", { cacheFolder: folder });
      await model.prepare({ extensions: [extension], hidden: [1] });
      const pass = await model
        .createSession()
        .forward([{ token: 1, integers: { [on]: 1 } }], { hidden: [1] });
      const state = await pass.hidden(1).read();
      await model.dispose();
      return state;
    };
    await (await tinyModel("llama-F16", { cacheFolder: folder })).dispose();
    const [weights] = readdirSync(join(folder, "weights")).map((name) =>
      join(folder, "weights", name, "weights.bin"),
    );
    const before = statSync(weights);
    const one = await stateWith(shifts("one", 1), "shift.one.on");
    const two = await stateWith(shifts("two", 2), "shift.two.on");
    expect(two[6] - one[6]).toBeCloseTo(6, 4);
    expect(distance(await stateWith(shifts("one", 1), "shift.one.on"), one)).toBe(0);
    expect([statSync(weights).mtimeMs, statSync(weights).ino]).toEqual([before.mtimeMs, before.ino]);
    rmSync(folder, { recursive: true, force: true });
  });
});
