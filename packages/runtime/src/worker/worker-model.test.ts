import { createRegistry, DecodingError, definePlugin, generate, plain, type Registry } from "@foretoken/core";
import { forcedText, oracleDrafter, type ScriptedModel, scriptedModel } from "@foretoken/testing";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import type { LoadedModel, LoadModelOptions } from "../load-model.ts";
import { createWorkerModel } from "./create-worker-model.ts";
import type { DraftModels } from "./draft-models.ts";
import { type ServeModelOptions, serveModel } from "./serve-model.ts";
import type { WorkerEvent } from "./worker-events.ts";
import type { WorkerGeneration, WorkerModel, WorkerModelOptions } from "./worker-model.ts";

const TEXT = "abcdefghijklmnopqrstuvwxyz";
const table = { rows: [1, 2], contexts: [32], ms: [[1, 2]] };

/** A scripted model that writes the alphabet, with what only loaded models have. */
function alphabet(options: Partial<Parameters<typeof scriptedModel>[0]> = {}): ScriptedModel & LoadedModel {
  const scripted = scriptedModel({
    vocabularySize: 26,
    next: forcedText([...TEXT].map((_, token) => token)),
    tokenizer: { chatTemplate: (messages) => messages.map(({ content }) => content).join("") },
    ...options,
  });
  return Object.assign(scripted, {
    deviceReason: "It is a test.",
    runtimeVersion: "0",
    threads: 1,
    selfTest: { verifiesTrees: true, treeError: 0, wrongMaskError: 1, wrongPositionError: 1 },
    calibrate: async () => table,
  }) as unknown as ScriptedModel & LoadedModel;
}

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** A worker that is a port of this thread. */
function worker(options: ServeModelOptions): MessagePort {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  serveModel({ ...options, port: port2 });
  return port1;
}

function open(
  model: LoadedModel,
  { registry = createRegistry(), ...options }: ServeModelOptions & Partial<WorkerModelOptions> = {},
): Promise<WorkerModel> {
  const { keptChats, resources, ...rest } = options;
  const port = worker({ registry, keptChats, resources, load: async () => model });
  return createWorkerModel(port, { source: "scripted", ...rest });
}

async function read(answer: WorkerGeneration): Promise<WorkerEvent[]> {
  const events: WorkerEvent[] = [];
  for await (const event of answer) events.push(event);
  return events;
}

const textOf = (events: readonly WorkerEvent[]) =>
  events.map((event) => (event.type === "chunk" ? event.text : "")).join("");

function withOracle(model: ScriptedModel): Registry {
  const registry = createRegistry();
  registry.register(
    definePlugin({
      specification: "v1",
      kind: "drafter",
      name: "oracle",
      summary: "Knows what comes.",
      options: z.strictObject({ limit: z.int().default(3) }),
      create: ({ limit }) => oracleDrafter(model, { defaultLimit: limit }),
    }),
  );
  return registry;
}

test("an answer streams as events in order and equals the one made without a worker", async () => {
  const model = alphabet();
  const remote = await open(model);
  const events = await read(remote.generate({ prompt: "ab", maxTokens: 5 }));
  expect(events.map(({ type }) => type)).toEqual([
    ...["start", "prefill", "chunk"],
    ...Array.from({ length: 4 }, () => ["step", "chunk"]).flat(),
    ...["finish", "result"],
  ]);
  const alone = await generate(model, { prompt: "ab", maxTokens: 5, decoder: plain() });
  const last = events.at(-1) as Extract<WorkerEvent, { type: "result" }>;
  expect(last.generation).toMatchObject({ text: alone.text, tokens: alone.tokens, finish: "length" });
  expect(textOf(events)).toBe("cdefg");
});

test("steps carry the tree with its texts, chunks a piece for each token and where it came from", async () => {
  const model = alphabet();
  const remote = await open(model, { registry: withOracle(model) });
  const decoder = [{ use: "oracle", limit: 2 }];
  const events = await read(remote.generate({ prompt: "a", maxTokens: 7, decoder }));
  const step = events.find((event) => event.type === "step")!;
  expect(step).toMatchObject({
    tree: [
      { text: "b", parent: -1 },
      { text: "c", parent: 0, sources: ["oracle"] },
      { text: "d", parent: 1, sources: ["oracle"] },
    ],
    path: [1, 2],
    accepted: 2,
  });
  const chunks = events.filter((event) => event.type === "chunk");
  expect(chunks[1]).toMatchObject({
    text: "cde",
    pieces: ["c", "d", "e"],
    sources: [["oracle"], ["oracle"], []],
  });
});

test("info tells what was loaded, and calibrating changes its cost", async () => {
  const remote = await open(alphabet());
  expect(remote.info).toMatchObject({
    id: "scripted",
    device: "scripted",
    deviceReason: "It is a test.",
    hasChatTemplate: true,
    cost: { isMeasured: false },
  });
  expect(remote.info.cost.table.ms[0][0]).toBe(1);
  await remote.calibrate();
  expect(remote.info.cost).toEqual({ isMeasured: true, table });
});

test("plugins are listed with the schema of their options, those that load on demand too", async () => {
  const model = alphabet();
  const registry = withOracle(model);
  registry.announce({
    name: "later",
    kind: "drafter",
    from: "a-package",
    load: async () => ({ ...withOracle(model).get("drafter", "oracle"), name: "later" }),
  });
  const plugins = await (await open(model, { registry })).plugins();
  for (const name of ["oracle", "later"]) {
    expect(plugins.find((plugin) => plugin.name === name)).toMatchObject({
      kind: "drafter",
      options: { properties: { limit: { default: 3 } } },
    });
  }
});

test("progress and warnings reach the page, options reach the loader", async () => {
  const model = alphabet();
  const load = vi.fn(async (_: string | Blob, { onProgress, onWarning }: LoadModelOptions) => {
    onProgress?.({ phase: "download", name: "x", loaded: 1, total: 2 });
    onWarning?.("Careful.");
    return model as LoadedModel;
  });
  const [onProgress, onWarning] = [vi.fn(), vi.fn()];
  const source = new File(["GGUF"], "picked.gguf");
  const port = worker({ load });
  await createWorkerModel(port, { source, dtype: "fp32", device: "wasm", onProgress, onWarning });
  expect(load.mock.calls[0][0]).toBeInstanceOf(Blob);
  expect(load.mock.calls[0][1]).toMatchObject({ dtype: "fp32", device: "wasm" });
  expect(onProgress).toHaveBeenCalledWith({ phase: "download", name: "x", loaded: 1, total: 2 });
  expect(onWarning).toHaveBeenCalledWith("Careful.");
});

test("errors cross with code, message and fix, and the worker goes on", async () => {
  const remote = await open(alphabet());
  const failures: DecodingError[] = [];
  for (const decoder of ["missing", { use: "speculative", drafter: 1 }]) {
    const answer = remote.generate({ prompt: "a", decoder });
    await expect(read(answer)).rejects.toThrow();
    failures.push(
      await answer.result.then(
        () => undefined as never,
        (error) => error,
      ),
    );
  }
  expect(failures.map(({ name, code }) => [name, code])).toEqual([
    ["DecodingError", "UNKNOWN_PART"],
    ["DecodingError", "INVALID_OPTION"],
  ]);
  expect(failures[0]).toMatchObject({ message: expect.stringContaining("missing"), fix: expect.any(String) });
  expect(textOf(await read(remote.generate({ prompt: "a", maxTokens: 2 })))).toBe("bc");
});

test("what cannot be posted is refused with its code", async () => {
  const remote = await open(alphabet());
  const decoder = plain() as never;
  await expect(remote.generate({ prompt: "a", decoder }).result).rejects.toMatchObject({
    code: "INVALID_OPTION",
  });
});

test("an abort ends the answer with what was made so far", async () => {
  const model = alphabet({ contextLength: 4096 });
  model.inspection.faults.delayMs = 1;
  const remote = await open(model);
  const controller = new AbortController();
  const answer = remote.generate({ prompt: "a", signal: controller.signal });
  let chunks = 0;
  for await (const { type } of answer) if (type === "chunk" && ++chunks === 3) controller.abort();
  const { finish, text } = await answer.result;
  expect(finish).toBe("aborted");
  expect(text).toMatch(/^bcd/);
  expect(model.inspection.liveSessions).toBe(0);
  await expect(remote.generate({ prompt: "a", signal: AbortSignal.abort() }).result).rejects.toMatchObject({
    code: "ABORTED",
  });
});

test("leaving the loop ends the generation in the worker", async () => {
  const model = alphabet({ contextLength: 4096 });
  model.inspection.faults.delayMs = 1;
  const remote = await open(model);
  const answer = remote.generate({ prompt: "a" });
  for await (const { type } of answer) if (type === "chunk") break;
  expect(await answer.result).toMatchObject({ finish: "aborted" });
});

test("two answers at once are each what they are alone", async () => {
  const remote = await open(alphabet());
  const answers = ["a", "abcd"].map((prompt) => remote.generate({ prompt, maxTokens: 6 }));
  expect((await Promise.all(answers.map(read))).map(textOf)).toEqual(["bcdefg", "efghij"]);
});

test("a conversation keeps its session and its decoder; its answers wait for each other", async () => {
  const model = alphabet();
  const registry = withOracle(model);
  const remote = await open(model, { registry });
  const ask = (prompt: string) =>
    remote.generate({ prompt, maxTokens: 3, chat: "one", decoder: ["oracle"] }).result;
  const [first, second] = await Promise.all([ask("ab"), ask("abcdef")]);
  expect(first).toMatchObject({ text: "cde", usage: { cachedTokens: 0 } });
  expect(second).toMatchObject({ text: "ghi", usage: { cachedTokens: 4 } });
  expect(model.inspection.liveSessions).toBe(1);
  await remote.endChat("one");
  await remote.endChat("one");
  expect(model.inspection.liveSessions).toBe(0);
});

test("conversations beyond those that are kept give way, the longest at rest first", async () => {
  const model = alphabet();
  const remote = await open(model, { keptChats: 2 });
  const ask = (chat: string) => remote.generate({ prompt: "abcd", maxTokens: 1, chat }).result;
  for (const chat of ["one", "two", "one", "three"]) await ask(chat);
  expect(model.inspection.liveSessions).toBe(2);
  expect((await ask("one")).usage.cachedTokens).toBe(3);
  expect((await ask("two")).usage.cachedTokens).toBe(0);
});

test("an aborted answer in line rejects, and the next one gets its turn", async () => {
  const model = alphabet();
  model.inspection.faults.delayMs = 5;
  const remote = await open(model);
  const controller = new AbortController();
  const ask = (signal?: AbortSignal) =>
    remote.generate({ prompt: "a", maxTokens: 3, chat: "one", signal }).result;
  const answers = [ask(), ask(controller.signal), ask()];
  let isFirstDone = false;
  void answers[0].then(() => {
    isFirstDone = true;
  });
  controller.abort();
  await answers[1].catch(() => {});
  expect(isFirstDone).toBe(false);
  const [first, second, third] = await Promise.allSettled(answers);
  expect(first.status).toBe("fulfilled");
  expect(second).toMatchObject({ reason: { code: "ABORTED" } });
  expect(third.status).toBe("fulfilled");
});

test("a worker that goes away rejects everything, now and later", async () => {
  const model = alphabet({ contextLength: 4096 });
  model.inspection.faults.delayMs = 1;
  const remote = await open(model);
  const answer = remote.generate({ prompt: "a" });
  const calibration = remote.plugins();
  await calibration;
  ports.at(-1)!.close(); // What serves the model.
  await expect(read(answer)).rejects.toMatchObject({ code: "WORKER_LOST" });
  await expect(answer.result).rejects.toMatchObject({ code: "WORKER_LOST" });
  await expect(remote.plugins()).rejects.toMatchObject({ code: "WORKER_LOST" });
  await remote.dispose();
});

test("a worker that never answers is given up", async () => {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  await expect(createWorkerModel(port1, { source: "x", startWithinMs: 20 })).rejects.toMatchObject({
    code: "WORKER_LOST",
    message: expect.stringContaining("serveModel"),
  });
});

test("a failed or aborted load leaves a worker that can be asked again", async () => {
  const model = alphabet();
  let attempt = 0;
  const load = async (_: string | Blob, { signal }: LoadModelOptions) => {
    if (++attempt > 1) return model as LoadedModel;
    return new Promise<never>((_, reject) => {
      signal?.addEventListener("abort", () => reject(new Error("stopped")));
    });
  };
  const port = worker({ load });
  const controller = new AbortController();
  const first = createWorkerModel(port, { source: "x", signal: controller.signal });
  controller.abort();
  await expect(first).rejects.toThrow("stopped");
  const remote = await createWorkerModel(port, { source: "x" });
  expect(textOf(await read(remote.generate({ prompt: "a", maxTokens: 2 })))).toBe("bc");
  await expect(createWorkerModel(port, { source: "x" })).rejects.toMatchObject({ code: "INVALID_OPTION" });
});

test("dispose frees the model, rejects what is pending, and may be called again", async () => {
  const model = alphabet({ contextLength: 4096 });
  model.inspection.faults.delayMs = 1;
  const dispose = vi.spyOn(model, "dispose");
  const remote = await open(model);
  const answer = remote.generate({ prompt: "a" });
  await Promise.all([remote.dispose(), remote.dispose()]);
  await expect(answer.result).rejects.toMatchObject({ code: "DISPOSED" });
  expect(dispose).toHaveBeenCalledTimes(1);
  expect(model.inspection.liveSessions).toBe(0);
  await expect(remote.plugins()).rejects.toMatchObject({ code: "DISPOSED" });
});

test("draft models that parts name are loaded once, when they are needed, and freed with the model", async () => {
  const model = alphabet();
  const draft = alphabet({ id: "draft" });
  const registry = createRegistry();
  registry.register(
    definePlugin({
      specification: "v1",
      kind: "drafter",
      name: "by-model",
      summary: "Loads a model.",
      options: z.strictObject({ model: z.string() }),
      create: (options, { resources }) => ({
        ...oracleDrafter(draft, { name: "by-model" }),
        prepare: async (_, settings) =>
          void (await (resources.loadModel as DraftModels["loadModel"])(options.model, settings)),
      }),
    }),
  );
  const load = vi.fn(async (source: string | Blob, options: LoadModelOptions): Promise<LoadedModel> => {
    if (source !== "small") return model;
    if (load.mock.calls.length === 2)
      throw new DecodingError("DOWNLOAD_FAILED", { message: "No.", fix: "Go." });
    expect(options.device).toBe("scripted");
    return draft;
  });
  const remote = await createWorkerModel(worker({ registry, load }), { source: "x" });
  const ask = () =>
    remote.generate({ prompt: "a", maxTokens: 2, decoder: [{ use: "by-model", model: "small" }] }).result;
  await expect(ask()).rejects.toMatchObject({ code: "DOWNLOAD_FAILED" });
  await Promise.all([ask(), ask()]);
  await ask();
  expect(load.mock.calls.map(([source]) => source)).toEqual(["x", "small", "small"]);
  const dispose = vi.spyOn(draft, "dispose");
  await remote.dispose();
  expect(dispose).toHaveBeenCalledTimes(1);
});

test("messages of the application over the same port are left alone", async () => {
  const model = alphabet();
  const port = worker({ load: async () => model });
  port.postMessage("hello");
  port.postMessage(null);
  const remote = await createWorkerModel(port, { source: "x" });
  expect(remote.info.id).toBe("scripted");
});
