import { hasCode } from "@foretoken/core";
import { tinyModel } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { openWebGpuOn } from "./device/webgpu-in-browser.ts";
import type { RuntimeModel } from "./load-runtime.ts";

const load = (seed = 1) => tinyModel(seed, { device: "webgpu", contextLength: 64 });
const rows = (count: number) => Array.from({ length: count }, (_, token) => ({ token: token + 5 }));

/** Counts the bytes of buffers that a device holds from now on: neither destroyed nor collected. */
function watchMemory(device: GPUDevice): { collected(): Promise<number>; stop(): void } {
  const create = device.createBuffer;
  const held = new Map<number, number>();
  const registry = new FinalizationRegistry<number>((key) => held.delete(key));
  let made = 0;
  device.createBuffer = function (descriptor) {
    const buffer = create.call(this, descriptor);
    const key = made++;
    held.set(key, buffer.size);
    registry.register(buffer, key);
    const destroy = buffer.destroy;
    buffer.destroy = function () {
      held.delete(key);
      return destroy.call(this);
    };
    return buffer;
  };
  return {
    async collected() {
      for (let round = 0; round < 3; round++) {
        (globalThis as unknown as { gc(): void }).gc();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return [...held.values()].reduce((sum, size) => sum + size, 0);
    },
    stop: () => {
      device.createBuffer = create;
    },
  };
}

async function useOnce(model: RuntimeModel): Promise<void> {
  const session = model.createSession();
  await session.forward(rows(4), { logits: "last" });
  session.dispose();
}

describe("memory of the device", () => {
  test("the page gets the device, and a second load of the same weights takes no second copy", async () => {
    const first = await load();
    await useOnce(first);
    expect(first.gpu).toBeInstanceOf(GPUDevice);
    const memory = watchMemory(first.gpu!);
    const second = await load();
    await useOnce(second);
    expect(second.gpu).toBe(first.gpu);
    // Rows of the second session and staging for its pass; the weights alone are 200 kB.
    expect(await memory.collected()).toBeLessThan(50_000);
    await first.dispose();
    await useOnce(second);
    await second.dispose();
    memory.stop();
  });

  test("of a disposed model only its weights stay, which ONNX Runtime keeps", async () => {
    const keeper = await load(2);
    const memory = watchMemory(keeper.gpu!);
    const after: number[] = [];
    for (let round = 0; round < 20; round++) {
      const model = await load(3);
      await useOnce(model);
      await model.dispose();
      after.push(await memory.collected());
    }
    memory.stop();
    await keeper.dispose();
    const perRound = (after[19] - after[4]) / 15;
    // Weights of a tiny model are 320 kB; its cache, 131 kB, and what passes took are given back.
    expect(perRound).toBeLessThan(330_000);
  }, 120_000);
});

describe("a device that cannot be used", () => {
  const adapter = (overrides: Partial<GPUAdapter>) =>
    ({ requestAdapter: async () => overrides as GPUAdapter }) as unknown as GPU;

  test("a page without WebGPU is told so", async () => {
    await expect(openWebGpuOn(undefined)).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining("navigator.gpu"),
    });
  });

  test("a browser without an adapter is told so", async () => {
    const gpu = { requestAdapter: async () => null } as unknown as GPU;
    await expect(openWebGpuOn(gpu)).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining("no adapter"),
    });
  });

  test("an adapter that gives no device is told so", async () => {
    const real = (await navigator.gpu.requestAdapter())!;
    const gpu = adapter({
      info: real.info,
      limits: real.limits,
      features: real.features,
      requestDevice: async () => {
        throw new Error("no such luck");
      },
    });
    await expect(openWebGpuOn(gpu)).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining("no such luck"),
    });
  });

  test("weights beyond the limits of buffers are refused with both numbers", async () => {
    const real = (await navigator.gpu.requestAdapter())!;
    const device = await real.requestDevice();
    const limits = { maxBufferSize: 1000, maxStorageBufferBindingSize: 1000 } as GPUSupportedLimits;
    const small = { limits, features: device.features, lost: device.lost } as unknown as GPUDevice;
    const backend = await openWebGpuOn(
      adapter({
        info: real.info,
        limits: real.limits,
        features: real.features,
        requestDevice: async () => small,
      }),
    );
    const graph = {
      model: new Uint8Array(),
      weights: { bytes: new Uint8Array() },
      largestWeight: { name: "head", bytes: 2000 },
    };
    const config = { layers: 1, keyValueHeads: 1, headSize: 2 } as Parameters<typeof backend.createStore>[0];
    const options = { threads: 1, store: backend.createStore(config, "float32"), keep: [] };
    await expect(backend.load(graph, options)).rejects.toMatchObject({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringMatching(/head.*2000.*1000/),
    });
    device.destroy();
  });

  test("float16 is refused where the adapter has no shader-f16", async () => {
    const real = (await navigator.gpu.requestAdapter())!;
    // Not a skip: on an adapter that has it, the model loads.
    const loading = tinyModel(1, { device: "webgpu", dtype: "fp16" });
    if (real.features.has("shader-f16")) await (await loading).dispose();
    else await expect(loading).rejects.toMatchObject({ code: "DEVICE_UNAVAILABLE", message: /shader-f16/ });
  });
});

describe("a device that is lost", () => {
  test("pending and later work is rejected, and a new load works", async () => {
    const model = await load();
    const [session, other] = [model.createSession(), model.createSession()];
    session.commit((await session.forward(rows(4))).rows);
    const pending = [
      session.forward(rows(8), { logits: "last" }),
      other.forward(rows(3), { logits: "last" }),
    ];
    model.gpu!.destroy();
    const outcomes = await Promise.allSettled(pending);
    expect(outcomes.some((outcome) => outcome.status === "rejected")).toBe(true);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(hasCode(outcome.reason, "DEVICE_LOST")).toBe(true);
    }
    await expect(session.forward(rows(1), { logits: "last" })).rejects.toMatchObject({ code: "DEVICE_LOST" });
    // The text survives and can be fed again.
    const text = [...session.tokens];
    expect(text).toHaveLength(4);
    await model.dispose();

    const again = await load();
    expect(again.gpu).not.toBe(model.gpu);
    const fresh = again.createSession();
    fresh.commit((await fresh.forward(text.map((token) => ({ token })))).rows);
    expect(fresh.tokens).toEqual(text);
    await again.dispose();
  }, 120_000);
});
