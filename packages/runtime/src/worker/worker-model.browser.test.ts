import { tinyGguf } from "@foretoken/testing";
import { afterEach, expect, test } from "vitest";
import { createWorkerModel } from "./create-worker-model.ts";
import type { WorkerModel, WorkerModelOptions } from "./worker-model.ts";

const file = () => new File([tinyGguf(1)], "tiny.gguf");

const workers: Worker[] = [];
afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate();
});

function modelWorker(): Worker {
  const worker = new Worker(new URL("./__fixtures__/model-worker.ts", import.meta.url), { type: "module" });
  workers.push(worker);
  return worker;
}

function load(source: WorkerModelOptions["source"], options: Partial<WorkerModelOptions> = {}) {
  return createWorkerModel(modelWorker(), { source, device: "wasm", threads: 1, ...options });
}

async function textOf(model: WorkerModel): Promise<string> {
  return (await model.generate({ prompt: "the thin", maxTokens: 12 }).result).text;
}

test("a picked file is loaded in a worker and answers", async () => {
  const model = await load(file());
  expect(model.info).toMatchObject({ id: "tiny.gguf", device: "wasm", hasChatTemplate: true });
  let text = "";
  for await (const event of model.generate({ prompt: "the thin", maxTokens: 12 })) {
    if (event.type === "chunk") text += event.pieces.join("");
  }
  expect(text).toBe(await textOf(model));
  await model.dispose();
  await expect(model.plugins()).rejects.toMatchObject({ code: "DISPOSED" });
});

test("a file from an address is there after a reload, without a second download", async () => {
  const url = URL.createObjectURL(file());
  const phases = new Set<string>();
  const first = await load(url, { onProgress: ({ phase }) => phases.add(phase) });
  expect([...phases]).toEqual(["download", "prepare"]);
  const text = await textOf(first);
  await first.dispose();

  URL.revokeObjectURL(url); // From here on it cannot be downloaded.
  phases.clear();
  const second = await load(url, { onProgress: ({ phase }) => phases.add(phase) });
  expect([...phases]).toEqual(["prepare"]);
  expect(second.info.contentHash).toBe(first.info.contentHash);
  expect(await textOf(second)).toBe(text);
  await second.dispose();
});

test("what calibrating measured is there after a reload", async () => {
  const first = await load(file());
  const measured = await first.calibrate();
  await first.dispose();
  const second = await load(file());
  expect(second.info.cost.isMeasured).toBe(true);
  expect(second.info.cost.table.ms[0][0]).toBeCloseTo(measured.table.ms[0][0], 6);
  await second.dispose();
});

test("a terminated worker rejects what is pending, at once and for good", async () => {
  const model = await load(file());
  const answer = model.generate({ prompt: "the thin", ignoreEnd: true });
  const events = answer[Symbol.asyncIterator]();
  await events.next();
  workers[0].terminate();
  await expect(answer.result).rejects.toMatchObject({ code: "WORKER_LOST" });
  await expect(model.calibrate()).rejects.toMatchObject({ code: "WORKER_LOST" });
  await model.dispose();
  const next = await load(file());
  expect(await textOf(next)).not.toBe("");
  await next.dispose();
});

test("a worker whose script fails is an error that says so", async () => {
  const worker = new Worker(new URL("./__fixtures__/failing-worker.ts", import.meta.url), { type: "module" });
  workers.push(worker);
  worker.addEventListener("error", (event) => event.preventDefault());
  await expect(createWorkerModel(worker, { source: file() })).rejects.toMatchObject({
    code: "WORKER_LOST",
    message: expect.stringContaining("This script is broken."),
  });
});

test("what is no model is an error with its code and its fix", async () => {
  await expect(load(new File(["<html>"], "page.gguf"))).rejects.toMatchObject({
    name: "DecodingError",
    code: "NOT_A_MODEL",
    fix: expect.stringMatching(/./),
  });
});

test("an abort crosses into the worker", async () => {
  const model = await load(file());
  const controller = new AbortController();
  const answer = model.generate({ prompt: "the", ignoreEnd: true, signal: controller.signal });
  for await (const { type } of answer) if (type === "chunk") controller.abort();
  expect(await answer.result).toMatchObject({ finish: "aborted" });
  await model.dispose();
});
