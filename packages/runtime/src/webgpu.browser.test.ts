import { generate, type Model, plain, speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { testModel, tinyModel } from "@foretoken/testing";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { commands } from "vitest/browser";
import { distance } from "./__fixtures__/distance.ts";
import { adds, copies } from "./__fixtures__/small-extensions.ts";
import { smallHead } from "./__fixtures__/small-head.ts";
import { loadRuntime, type RuntimeModel } from "./load-runtime.ts";
import { bytesSource } from "./weights/byte-source.ts";
import { openGguf } from "./weights/open-gguf.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of the shared fixtures. */
    shared: string;
  }
}

/** Context enough for the cache to grow twice past its first 256 rows. */
const SIZES = { contextLength: 700 };
const TOLERANCE = 1e-3;

testModel("on WebGPU", () => tinyModel(2, { ...SIZES, device: "webgpu" }), { tolerance: TOLERANCE });

describe("WebGPU beside wasm", () => {
  let gpu: RuntimeModel;
  let wasm: RuntimeModel;
  beforeAll(async () => {
    gpu = await tinyModel(1, { ...SIZES, device: "webgpu" });
    wasm = await tinyModel(1, { ...SIZES, device: "wasm" });
  });
  afterAll(async () => {
    await gpu.dispose();
    await wasm.dispose();
  });

  const tokens = (count: number, from = 0) =>
    Array.from({ length: count }, (_, i) => ({ token: ((from + i) * 7919 + 13) % gpu.vocabularySize }));

  async function expectSame(run: (model: Model) => Promise<readonly Float32Array[]>): Promise<void> {
    const [onGpu, onWasm] = [await run(gpu), await run(wasm)];
    expect(onGpu.length).toBe(onWasm.length);
    for (const [row, logits] of onWasm.entries())
      expect(distance(onGpu[row], logits)).toBeLessThan(TOLERANCE);
  }

  test("the adapter verifies trees", () => {
    expect(gpu.selfTest.verifiesTrees).toBe(true);
  });

  test("a long pass gives the same logits", () =>
    expectSame(async (model) => {
      const session = model.createSession();
      const pass = await session.forward(tokens(100), { logits: [0, 1, 30, 31, 32, 63, 99] });
      const rows = await Promise.all([0, 1, 30, 31, 32, 63, 99].map((row) => pass.logits(row)));
      session.dispose();
      return rows;
    }));

  test("graph extensions find ancestors and vectors, as far as their rows fit into one pass", async () => {
    const vector = new Float32Array(64).fill(0.1);
    const extensions = [copies(64, { after: 1 }), adds(64)];
    await expectSame(async (model) => {
      await model.prepare({ extensions });
      const session = model.createSession();
      const copy = { embedding: new Float32Array(64), integers: { "copy.on": 1, "copy.source": 1 } };
      const pass = await session.forward(
        [...tokens(30), { token: 5, parent: 29, vectors: { "add.vector": vector } }, { ...copy, parent: 30 }],
        { logits: [30, 31] },
      );
      const rows = await Promise.all([30, 31].map((row) => pass.logits(row)));
      session.dispose();
      return rows;
    });
  });

  test("trees, roll-backs and growth past the capacity of the cache give the same logits", () =>
    expectSame(async (model) => {
      const session = model.createSession();
      const read: Float32Array[] = [];
      // Each round: a tree of 12 rows, of which 3 stay: three quarters of the rows die, and holes are filled.
      for (let round = 0; round < 100; round++) {
        const rows = tokens(12, round * 12).map((row, node) => ({
          ...row,
          parent: node < 6 ? node - 1 : node % 6,
        }));
        const wants = round % 10 === 9 ? ([2, 11] as const) : [];
        const pass = await session.forward(rows, { logits: wants });
        for (const row of wants) read.push(await pass.logits(row));
        session.commit(pass.rows.slice(0, 3));
        if (round === 60) session.truncate(100);
      }
      expect(session.tokens.length).toBeGreaterThan(190);
      const long = await session.forward(tokens(260), { logits: "last" });
      session.commit(long.rows);
      const last = await session.forward(tokens(1, 5), { logits: "last" });
      read.push(await last.logits(0));
      session.dispose();
      return read;
    }));

  test("two sessions share a pass", () =>
    expectSame(async (model) => {
      const sessions = [model.createSession(), model.createSession()];
      const read: Float32Array[] = [];
      for (let round = 0; round < 3; round++) {
        const passes = await Promise.all(
          sessions.map((session, i) => session.forward(tokens(5 + i, 100 * i + round), { logits: "last" })),
        );
        for (const [i, pass] of passes.entries()) {
          read.push(await pass.logits(4 + i));
          sessions[i].commit(pass.rows.slice(0, 3));
        }
      }
      for (const session of sessions) session.dispose();
      return read;
    }));

  test("reductions agree with whole rows", async () => {
    await gpu.prepare({ topK: 5 });
    const session = gpu.createSession();
    const pass = await session.forward(tokens(3), { logits: "all", argmax: true, topK: 5 });
    const [argmax, top, sum, logits] = [
      await pass.argmax(1),
      await pass.topK(1, 5),
      await pass.logSumExp(1),
      await pass.logits(1),
    ];
    const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a]);
    expect(argmax).toBe(order[0]);
    expect([...top.ids]).toEqual(order.slice(0, 5));
    const exact = Math.log([...logits].reduce((total, logit) => total + Math.exp(logit), 0));
    expect(sum).toBeCloseTo(exact, 4);
    expect(top.logProbabilities[0]).toBeCloseTo(logits[order[0]] - exact, 4);
    session.dispose();
  });

  test.each([
    ["greedy", {}],
    ["sampled", { temperature: 0.8, topP: 0.95, seed: 3 }],
  ])("%s texts are the same, plain and drafted", async (_, sampling) => {
    const prompt = "in the thin the thin in the the";
    for (const decoder of [plain(), speculative({ drafters: [promptLookup()] })]) {
      const options = { prompt, decoder, maxTokens: 24, ignoreEnd: true, ...sampling };
      const [onGpu, onWasm] = [await generate(gpu, options), await generate(wasm, options)];
      expect(onGpu.tokens).toEqual(onWasm.tokens);
      expect(onGpu.report.rows).toBe(onWasm.report.rows);
    }
  });

  test("greedy verification reads a few bytes of each row", async () => {
    const before = gpu.bytesRead;
    const decoder = speculative({ drafters: [promptLookup()] });
    const { report } = await generate(gpu, {
      prompt: "the the the the",
      decoder,
      maxTokens: 24,
      ignoreEnd: true,
    });
    const perRow = (gpu.bytesRead - before) / (report.rows + 1);
    expect(perRow).toBeGreaterThan(0);
    // Argmax, log-sum-exp, five largest logits and their ids: not the vocabulary.
    expect(perRow).toBeLessThanOrEqual(4 * 7 + 8 * 5);
  });
});

test("a draft head, with fewer logits than its target has tokens, says the same on both", async () => {
  const vocabulary = Int32Array.from({ length: 24 }, (_, index) => 3 + 2 * index);
  const read: { logits: Float32Array; argmax: number; topIds: number[] }[] = [];
  for (const device of ["webgpu", "wasm"] as const) {
    const target = await tinyModel(1, { ...SIZES, device });
    const model = await target.loadHead(smallHead(vocabulary));
    await model.prepare({ topK: 4 });
    const session = model.createSession();
    const feature = Float32Array.from({ length: target.width }, (_, index) => Math.sin(index));
    const pass = await session.forward(
      [
        { token: 7, feature },
        { token: 9, feature },
      ],
      {
        logits: "all",
        argmax: true,
        topK: 4,
      },
    );
    const { ids } = await pass.topK(1, 4);
    read.push({ logits: await pass.logits(1), argmax: await pass.argmax(1), topIds: [...ids] });
    await target.dispose();
  }
  const [onGpu, onWasm] = read;
  expect(onGpu.logits).toHaveLength(vocabulary.length);
  expect(distance(onGpu.logits, onWasm.logits)).toBeLessThan(TOLERANCE);
  expect(onGpu.argmax).toBe(onWasm.argmax);
  expect(onGpu.topIds).toEqual(onWasm.topIds);
}, 120_000);

test("the cost of passes is measured on both sides of each step", async () => {
  const small = await tinyModel(3, { layers: 1, contextLength: 128, device: "webgpu" });
  const table = await small.calibrate();
  expect(table.rows).toEqual(expect.arrayContaining([16, 17, 64]));
  expect(small.cost.isMeasured).toBe(true);
  expect(small.cost.ms(16, 64)).toBeGreaterThan(0);
  await small.dispose();
}, 120_000);

describe("files with blocks of integers", () => {
  test.each(["llama-Q4_1", "llama-Q4_0", "llama-Q6_K", "qwen3-F16"])(
    "%s in its stored precision",
    async (name) => {
      const base64 = await commands.readFile(`${inject("shared")}/fixtures/gguf/${name}.gguf`, "base64");
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const load = async (device: "webgpu" | "wasm", dtype: "stored" | "fp32") =>
        loadRuntime(await openGguf(bytesSource(bytes)), { device, dtype, threads: 1 });
      const rows = Array.from({ length: 9 }, (_, i) => ({ token: 5 + 7 * i }));
      const logits = async (model: RuntimeModel) => {
        const pass = await model.createSession().forward(rows, { logits: "all" });
        const read = await Promise.all(rows.map((_, row) => pass.logits(row)));
        await model.dispose();
        return read;
      };
      const stored = await logits(await load("webgpu", "stored"));
      const exact = await logits(await load("wasm", "fp32"));
      const residues = /Q4_1/.test(name) ? 0.3 : TOLERANCE;
      for (const row of rows.keys()) expect(distance(stored[row], exact[row])).toBeLessThan(residues);
    },
  );
});
