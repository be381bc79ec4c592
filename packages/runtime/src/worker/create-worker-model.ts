import { DecodingError, type Generation, type PartDescription } from "@foretoken/core";
import type { LoadProgress } from "../sources/progress.ts";
import { EventQueue } from "./event-queue.ts";
import { lost, WorkerCaller } from "./worker-calls.ts";
import type { WorkerEvent } from "./worker-events.ts";
import { whenReleased } from "./worker-lock.ts";
import type {
  WorkerCost,
  WorkerGenerateOptions,
  WorkerGeneration,
  WorkerModel,
  WorkerModelInfo,
  WorkerModelOptions,
} from "./worker-model.ts";
import type { WorkerPort } from "./worker-port.ts";

/** What the worker tells while it loads. */
export type LoadNote =
  | { readonly started: true }
  | { readonly progress: LoadProgress }
  | { readonly warning: string };

const START_WITHIN_MS = 30_000;
/** A worker that does not free its model by then is in the middle of a long pass, or stuck. */
const DISPOSE_WITHIN_MS = 2_000;

/**
 * Loads a model in a worker, where decoding never blocks the page.
 *
 * @example
 * const worker = new Worker(new URL("./model-worker.ts", import.meta.url), { type: "module" });
 * const model = await createWorkerModel(worker, { source: "/models/model.gguf", onProgress });
 * for await (const event of model.generate({ messages, decoder: ["prompt-lookup"] })) {
 *   if (event.type === "chunk") show(event.text);
 * }
 *
 * @param worker - A worker whose script calls `serveModel()`, or a port to one. The model takes it over; when this throws, it
 * stays the caller's, and may be asked again unless it is lost.
 * @throws What `loadModel` throws; `WORKER_LOST` when the worker fails or does not answer; `INVALID_OPTION` when it holds a
 * model already.
 */
export async function createWorkerModel(
  worker: Worker | MessagePort,
  options: WorkerModelOptions,
): Promise<WorkerModel> {
  const { source, signal, onProgress, onWarning = console.warn, startWithinMs, ...rest } = options;
  const port: WorkerPort = worker;
  const caller = new WorkerCaller(port);
  const lock = `foretoken-worker-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  const watch = new AbortController();
  const fail = (how: string) => caller.close(lost(how));
  const wait = startWithinMs ?? START_WITHIN_MS;
  const timer = setTimeout(
    () => fail(`it did not answer within ${wait / 1000} seconds; does its script call serveModel()?`),
    wait,
  );
  const onNote = (note: unknown) => {
    const told = note as LoadNote;
    if ("progress" in told) onProgress?.(told.progress);
    else if ("warning" in told) onWarning(told.warning);
    else {
      clearTimeout(timer);
      whenReleased(lock, watch.signal, () => fail("it was terminated, or it ran out of memory"));
    }
  };
  let info: WorkerModelInfo;
  try {
    const input = { ...rest, source, base: globalThis.document?.baseURI, lock };
    info = (await caller.call("load", input, { signal, onNote })) as WorkerModelInfo;
  } catch (error) {
    watch.abort();
    caller.close(error as DecodingError);
    throw error;
  } finally {
    clearTimeout(timer);
  }

  let ending: Promise<void> | undefined;
  const end = async () => {
    await Promise.race([caller.dispose(disposed()), after(DISPOSE_WITHIN_MS)]);
    watch.abort();
    caller.close(disposed());
    port.terminate?.();
    port.close?.();
  };
  return {
    get info() {
      return info;
    },
    generate: (input) => generation(caller, input),
    async calibrate(given) {
      const cost = (await caller.call("calibrate", undefined, given)) as WorkerCost;
      info = { ...info, cost };
      return cost;
    },
    plugins: () => caller.call("plugins", undefined) as Promise<readonly PartDescription[]>,
    endChat: (chat) => caller.call("endChat", chat) as Promise<void>,
    dispose: () => (ending ??= end()),
  };
}

function generation(caller: WorkerCaller, { signal, ...input }: WorkerGenerateOptions): WorkerGeneration {
  const events = new EventQueue<WorkerEvent>();
  const leave = new AbortController();
  const result = caller
    .call("generate", input, {
      signal: signal ? AbortSignal.any([signal, leave.signal]) : leave.signal,
      onNote: (event) => events.push(event as WorkerEvent),
    })
    .then(
      (value) => {
        const finished = value as Generation;
        events.push({ type: "result", generation: finished });
        events.end();
        return finished;
      },
      (error) => {
        events.fail(error);
        throw error;
      },
    );
  result.catch(() => {}); // The iteration throws the same error: nobody has to read both.

  async function* read(): AsyncGenerator<WorkerEvent, void, undefined> {
    try {
      yield* events.read();
    } finally {
      leave.abort();
    }
  }
  const reader = read();
  return { result, [Symbol.asyncIterator]: () => reader };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function disposed(): DecodingError {
  return new DecodingError("DISPOSED", {
    message: "The model was disposed, and its worker with it.",
    fix: "Load it again in a new worker.",
  });
}
