import { tinyGguf } from "@foretoken/testing";
import { expect, test } from "vitest";
import { fusedOnCpu } from "./__fixtures__/fused-on-cpu.ts";
import { engineFor } from "./shared-engines.ts";
import { bytesSource } from "./weights/byte-source.ts";
import type { WeightDtype } from "./weights/linear-layout.ts";
import { openGguf } from "./weights/open-gguf.ts";

const weights = () => openGguf(bytesSource(tinyGguf(3)));
const options = (dtype: WeightDtype = "fp32") => ({
  dtype,
  cacheFolder: undefined,
  threads: 1,
  poolRows: 200,
});

test("loads of the same weights at the same time open one engine", async () => {
  const backend = fusedOnCpu(false);
  const [a, b, c] = [await weights(), await weights(), await weights()];
  const engines = await Promise.all([a, b, c].map((source) => engineFor(source, backend, options())));
  expect(new Set(engines).size).toBe(1);
  await engines[0].release();
  await engines[0].release();
  expect(engines[0].isReleased).toBe(false);
  await engines[0].release();
  expect(engines[0].isReleased).toBe(true);
});

test("behind an engine that is gone, loads at the same time share a new one", async () => {
  const backend = fusedOnCpu(false);
  const first = await engineFor(await weights(), backend, options());
  const [a, b] = [await weights(), await weights()];
  const gone = first.release();
  const engines = await Promise.all([a, b].map((source) => engineFor(source, backend, options())));
  await gone;
  expect(engines[0]).not.toBe(first);
  expect(engines[1]).toBe(engines[0]);
  await engines[0].release();
  await engines[1].release();
});

test("behind a load that failed, the next one tries again", async () => {
  const backend = fusedOnCpu(false);
  const failing = engineFor(await weights(), backend, options("fp16"));
  await expect(failing).rejects.toMatchObject({ code: "DEVICE_UNAVAILABLE" });
  await expect(engineFor(await weights(), backend, options("fp16"))).rejects.toMatchObject({
    message: expect.stringContaining("shader-f16"),
  });
});
