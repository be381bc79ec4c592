import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DecodingError } from "@foretoken/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { shared } from "../../../test/shared.ts";
import { chooseDevice, type DeviceProbes } from "./choose-device.ts";
import type { Backend } from "./device/backend.ts";
import { type LoadedModel, type LoadModelOptions, loadModel } from "./load-model.ts";

const gguf = shared("fixtures/gguf/llama-small-F16.gguf");
const other = shared("fixtures/gguf/mistral-F16.gguf");

let folder: string;
let cache: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "foretoken-load-"));
  cache = join(folder, "cache");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The five most likely tokens behind a text, which tell models apart. */
async function answer(model: LoadedModel): Promise<readonly number[]> {
  const session = model.createSession();
  try {
    const [root, ...rest] = model.tokenizer.encode("Hello world");
    const rows = [root, ...rest].map((token, i) => (i === 0 ? { token } : { token, parent: i - 1 }));
    const pass = await session.forward(rows, { logits: [rows.length - 1] });
    return [...(await pass.topK(rows.length - 1, 5)).ids];
  } finally {
    session.dispose();
  }
}

async function load(path: string, options: LoadModelOptions = {}): Promise<readonly number[]> {
  const model = await loadModel(path, { cache, dtype: "fp32", threads: 1, ...options });
  try {
    return await answer(model);
  } finally {
    await model.dispose();
  }
}

test("a path becomes a model with its tokenizer, and says which device computes and why", async () => {
  const phases: string[] = [];
  const model = await loadModel(gguf, { cache, threads: 1, onProgress: ({ phase }) => phases.push(phase) });
  expect(model).toMatchObject({ id: "llama-small-F16.gguf", device: "cpu", dtype: "stored" });
  expect(model.deviceReason).toContain(`"${model.device}" was taken`);
  expect(model.tokenizer.vocabularySize).toBe(model.vocabularySize);
  expect(phases).toEqual(["prepare"]);
  await model.dispose();
});

test("a file held as a Blob is the same model", async () => {
  const blob = new File([readFileSync(gguf)], "picked.gguf");
  const model = await loadModel(blob, { cache, threads: 1, dtype: "fp32" });
  expect(model.id).toBe("picked.gguf");
  expect(await answer(model)).toEqual(await load(gguf));
  await model.dispose();
});

test("q4 warns and names the loss; other precisions do not", async () => {
  const onWarning = vi.fn();
  await load(gguf, { onWarning });
  expect(onWarning).not.toHaveBeenCalled();
  await load(gguf, { dtype: "q4", onWarning });
  expect(onWarning.mock.calls).toEqual([[expect.stringContaining("0.35 nats")]]);
});

describe("the device", () => {
  const unavailable = new DecodingError("DEVICE_UNAVAILABLE", {
    message: "No native part.",
    fix: "Install it.",
  });
  const backend = (device: string, isSoftware = false) => ({ device, isSoftware }) as Backend;
  const probes = (backends: readonly Backend[], isNode = true, gpu?: string): DeviceProbes => ({
    isNode,
    noGpu: async () => gpu,
    open: async (device) => {
      const found = backends.find((candidate) => candidate.device === device);
      if (!found) throw unavailable;
      return found;
    },
  });

  test("auto takes WebGPU on a real GPU", async () => {
    expect(await chooseDevice("auto", probes([backend("webgpu"), backend("cpu")]))).toMatchObject({
      device: "webgpu",
      isFallback: false,
    });
  });

  test("auto leaves a GPU alone that is emulated, and says so", async () => {
    const emulated = [backend("webgpu", true), backend("wasm")];
    expect(await chooseDevice("auto", probes(emulated, false))).toMatchObject({
      device: "wasm",
      isFallback: true,
      reason: expect.stringContaining("software"),
    });
  });

  test("a machine without a GPU is an ordinary one in Node, and its driver is not tried", async () => {
    const all = [backend("webgpu"), backend("cpu")];
    expect(await chooseDevice("auto", probes(all, true, "no Vulkan driver is installed."))).toMatchObject({
      device: "cpu",
      isFallback: false,
      reason: expect.stringContaining("no Vulkan driver"),
    });
  });

  test("auto falls back to wasm and says why", async () => {
    expect(await chooseDevice("auto", probes([backend("wasm")]))).toMatchObject({
      device: "wasm",
      isFallback: true,
      reason: expect.stringContaining("No native part."),
    });
  });

  test("a device that was asked for is never replaced", async () => {
    await expect(chooseDevice("cpu", probes([backend("wasm")]))).rejects.toBe(unavailable);
  });

  test("float16 is refused before the model is looked for where nothing computes in it", async () => {
    await expect(loadModel("./missing.gguf", { device: "cpu", dtype: "fp16" })).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining("fp16"),
    });
  });

  test("an unknown device and an unknown dtype are refused before the model is looked for", async () => {
    const options = { device: "abacus", dtype: "q1" } as unknown as LoadModelOptions;
    await expect(loadModel("./missing.gguf", { device: options.device })).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
    });
    await expect(loadModel("./missing.gguf", { dtype: options.dtype })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining("q1"),
    });
  });
});

describe("D7: weights outside the graph's folder", () => {
  test.skipIf(process.platform === "win32")(
    "a link, as a hub's cache has them, and a linked cache",
    async () => {
      await symlink(gguf, join(folder, "link.gguf"));
      await mkdir(join(folder, "real"));
      await symlink(join(folder, "real"), cache);
      expect(await load(join(folder, "link.gguf"))).toEqual(await load(gguf));
    },
  );

  test.each(["with spaces", "hash#and%20percent", "ümläut", "l".repeat(120)])(
    "a path and a cache named %j",
    async (name) => {
      const path = join(folder, name, `${name}.gguf`);
      await mkdir(join(folder, name));
      await copyFile(gguf, path);
      expect(await load(path, { cache: join(folder, name, "cache") })).toEqual(await load(gguf));
    },
  );

  test("a file that was replaced by another is loaded anew", async () => {
    const path = join(folder, "model.gguf");
    await copyFile(gguf, path);
    const first = await load(path);
    await copyFile(other, path);
    const second = await load(path);
    expect(second).toEqual(await load(other));
    expect(second).not.toEqual(first);
  });
});

test("what is no model gives its code and leaves nothing in the cache", async () => {
  const page = join(folder, "page.gguf");
  await writeFile(page, "<html>Log in</html>");
  await expect(load(page)).rejects.toMatchObject({ code: "NOT_A_MODEL" });
  await expect(readdir(cache)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a cache that cannot be written is named", async () => {
  await writeFile(cache, "");
  await expect(load(gguf)).rejects.toMatchObject({ code: "CACHE_NOT_WRITABLE" });
});

test("an abort while loading leaves no model behind", async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  await expect(load(gguf, { signal: controller.signal, onProgress })).rejects.toMatchObject({
    code: "ABORTED",
  });
  await expect(load(gguf, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
