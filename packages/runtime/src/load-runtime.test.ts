import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { distance } from "./__fixtures__/distance.ts";
import { reference, tinyModel } from "./__fixtures__/tiny-model.ts";
import type { RuntimeModel } from "./load-runtime.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "foretoken-runtime-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const code = (expected: string) => expect.objectContaining({ name: "DecodingError", code: expected });
const nine = reference("llama-Q4_1").sequences[1];

async function lastLogits(model: RuntimeModel, tokens: readonly number[]): Promise<Float32Array> {
  const session = model.createSession();
  const pass = await session.forward(
    tokens.map((token) => ({ token })),
    { logits: "last" },
  );
  const logits = (await pass.logits(tokens.length - 1)).slice();
  session.dispose();
  return logits;
}

/** Logits of a model loaded with the cache folder at `cacheFolder`. */
async function load(cacheFolder: string, dtype: "fp32" | "stored" = "fp32"): Promise<Float32Array> {
  const model = await tinyModel("llama-Q4_1", { cacheFolder, dtype });
  const logits = await lastLogits(model, nine.tokens);
  await model.dispose();
  return logits;
}

const weightsFolders = (cache: string) =>
  readdirSync(join(cache, "weights")).map((name) => join(cache, "weights", name));

describe("the weights file", () => {
  test.each(["with spaces", "hash # percent % 20", "ümläut", "l".repeat(200)])(
    "D7: lies in a folder called %s",
    async (name) => {
      const cache = join(folder, name);
      expect(distance(await load(cache), nine.logits[8])).toBeLessThan(1e-4);
      expect(weightsFolders(cache).length).toBe(1);
    },
  );

  test("D7: is found behind a cache folder that is a link", async () => {
    mkdirSync(join(folder, "real"));
    symlinkSync(join(folder, "real"), join(folder, "link"));
    expect(distance(await load(join(folder, "link")), nine.logits[8])).toBeLessThan(1e-4);
    expect(weightsFolders(join(folder, "real")).length).toBe(1);
  });

  test("is written once, and apart for each dtype", async () => {
    await load(folder);
    const [first] = weightsFolders(folder);
    const { mtimeMs } = statSync(join(first, "weights.bin"));
    await load(folder);
    expect(statSync(join(first, "weights.bin")).mtimeMs).toBe(mtimeMs);
    await load(folder, "stored");
    expect(weightsFolders(folder).length).toBe(2);
    expect(readdirSync(first).filter((name) => name.startsWith("partial"))).toEqual([]);
  });

  test.each<[string, (file: string) => void]>([
    ["cut short", (file) => writeFileSync(file, readFileSync(file).subarray(0, 1000))],
    ["full of zeros", (file) => writeFileSync(file, new Uint8Array(statSync(file).size))],
    ["gone", (file) => rmSync(file)],
  ])("E4: is written again when it is %s", async (_, damage) => {
    await load(folder);
    damage(join(weightsFolders(folder)[0], "weights.bin"));
    expect(distance(await load(folder), nine.logits[8])).toBeLessThan(1e-4);
  });

  test("E4: may be written by several loads at the same time", async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => load(folder)));
    for (const logits of all) expect(distance(logits, nine.logits[8])).toBeLessThan(1e-4);
  });

  test("a cache that cannot be a folder is refused with its path", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(load(join(folder, "file"))).rejects.toThrow(code("CACHE_NOT_WRITABLE"));
  });
});

describe("devices and options", () => {
  test("wasm gives the reference's logits, rows of a tree included", async () => {
    for (const [gguf, name] of [
      ["llama-F16", "llama"],
      ["qwen3-F16", "qwen3"],
    ]) {
      const { sequences, tree } = reference(name);
      const model = await tinyModel(gguf, { device: "wasm" });
      expect(distance(await lastLogits(model, sequences[2].tokens), sequences[2].logits[39])).toBeLessThan(
        1e-4,
      );
      const session = model.createSession();
      session.commit((await session.forward(tree.prefix.map((token) => ({ token })))).rows);
      const pass = await session.forward(
        tree.tokens.map((token, node) => ({ token, parent: tree.parents[node] })),
        { logits: "all" },
      );
      for (const [node, expected] of tree.logits.entries()) {
        expect(distance(await pass.logits(node), expected)).toBeLessThan(1e-4);
      }
      await model.dispose();
    }
  });

  test("stored weights stay close to the dequantised ones, q4 is further away", async () => {
    const rms = (logits: Float32Array) =>
      Math.sqrt(logits.reduce((sum, logit, i) => sum + (logit - nine.logits[8][i]) ** 2, 0) / logits.length);
    const errors = new Map<string, number>();
    for (const dtype of ["stored", "q8", "q4"] as const) {
      const model = await tinyModel("llama-Q4_1", { dtype });
      errors.set(dtype, rms(await lastLogits(model, nine.tokens)));
      await model.dispose();
    }
    expect(errors.get("stored")).toBeLessThan(0.15);
    expect(errors.get("q8")).toBeLessThan(0.15);
    expect(errors.get("q4")).toBeGreaterThan(errors.get("stored")!);
  });

  test("a missing onnxruntime-node names the alternative", async () => {
    vi.doMock("onnxruntime-node", () => {
      throw new Error("Cannot find package 'onnxruntime-node'");
    });
    vi.resetModules();
    const { openCpu } = await import("./device/cpu-backend.ts");
    await expect(openCpu()).rejects.toThrow(code("DEVICE_UNAVAILABLE"));
    await expect(openCpu()).rejects.toMatchObject({ fix: expect.stringContaining('device "wasm"') });
    vi.doUnmock("onnxruntime-node");
  });

  test.each([
    ["poolRows", { poolRows: 0 }],
    ["poolRows", { poolRows: Number.NaN }],
    ["threads", { threads: 1.5 }],
  ])("%s out of range is refused with its value", async (name, options) => {
    await expect(tinyModel("llama-F16", options)).rejects.toThrow(new RegExp(`${name} is `));
  });
});

describe("what is kept beside the weights", () => {
  test("the self-test finds the lies it tells, and its verdict is kept", async () => {
    const first = await tinyModel("llama-F16", { cacheFolder: folder });
    const { verifiesTrees, treeError, wrongMaskError, wrongPositionError } = first.selfTest;
    expect(verifiesTrees).toBe(true);
    expect(treeError).toBeLessThan(1e-4);
    expect(Math.min(wrongMaskError, wrongPositionError)).toBeGreaterThan(0.1);
    expect(first.cacheUse.rows).toBe(0);
    await first.dispose();
    const [path] = weightsFolders(folder);
    const name = readdirSync(path).find((file) => file.startsWith("self-test"))!;
    writeFileSync(join(path, name), JSON.stringify({ ...first.selfTest, verifiesTrees: false }));
    const second = await tinyModel("llama-F16", { cacheFolder: folder });
    expect(second.unsupported({ tree: true })).toEqual([expect.stringContaining("chains only")]);
    await second.dispose();
  });

  test("calibrate measures a curve that never falls, and the next load finds it", async () => {
    const model = await tinyModel("llama-small-F16", { cacheFolder: folder });
    expect(model.cost.isMeasured).toBe(false);
    const { contexts } = await model.calibrate();
    expect(contexts).toEqual([32]);
    expect(model.cost.isMeasured).toBe(true);
    for (let rows = 1; rows < 40; rows++) {
      expect(model.cost.ms(rows + 1, 32)).toBeGreaterThanOrEqual(model.cost.ms(rows, 32));
    }
    expect(model.cacheUse.rows).toBe(0);
    await model.dispose();
    const again = await tinyModel("llama-small-F16", { cacheFolder: folder });
    expect(again.cost.isMeasured).toBe(true);
    await again.dispose();
  });
});

test("E2: two models in one process do not disturb each other", async () => {
  const [llama, qwen3] = await Promise.all([tinyModel("llama-F16"), tinyModel("qwen3-F16")]);
  const references = [reference("llama"), reference("qwen3")];
  const results = await Promise.all(
    [llama, qwen3].flatMap((model, i) =>
      [1, 2].map((sequence) => lastLogits(model, references[i].sequences[sequence].tokens)),
    ),
  );
  const expected = references.flatMap(({ sequences }) =>
    [1, 2].map((i) => sequences[i].logits[sequences[i].tokens.length - 1]),
  );
  for (const [i, logits] of results.entries()) expect(distance(logits, expected[i])).toBeLessThan(1e-4);
  await Promise.all([llama.dispose(), qwen3.dispose()]);
});
