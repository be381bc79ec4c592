import { DecodingError, type Registry, registry as sharedRegistry } from "@foretoken/core";
import type { CostTable } from "../cost-curve.ts";
import type { DeviceName } from "../device/backend.ts";
import type { LoadedModel } from "../load-model.ts";
import { ChatSessions } from "./chat-sessions.ts";
import type { LoadNote } from "./create-worker-model.ts";
import { DraftModels, type LoadModel } from "./draft-models.ts";
import { toPlainError } from "./plain-error.ts";
import { type GenerationHost, runGeneration } from "./run-generation.ts";
import { holdLock } from "./worker-lock.ts";
import { isOurs, type PageMessage, type WorkerCalls } from "./worker-messages.ts";
import type { WorkerCost, WorkerModelInfo } from "./worker-model.ts";
import type { WorkerPort } from "./worker-port.ts";

/** What a worker offers. */
export interface ServeModelOptions {
  /** The parts that pages may name; default the registry that programs share. */
  readonly registry?: Registry;
  /**
   * What parts may refer to by name. `loadModel` is there already: it loads the draft models that a page names, on the device
   * of the target.
   */
  readonly resources?: Readonly<Record<string, unknown>>;
  /**
   * Most conversations whose cache is kept; those that rest longest give way, and run their prompt again when they go on.
   * Default 2, which fit into the pool at full length.
   */
  readonly keptChats?: number;
  /** Where the page is; default the worker's own scope. */
  readonly port?: WorkerPort | MessagePort;
  /** How the model is loaded; default `loadModel`. */
  readonly load?: LoadModel;
}

/**
 * Makes a worker answer `createWorkerModel()`. Call it once, in the worker's script, after the plugins are registered.
 *
 * @example
 * // model-worker.ts
 * import { registry } from "@foretoken/core";
 * import { plugin } from "@foretoken/prompt-lookup";
 * import { serveModel } from "@foretoken/runtime/worker";
 *
 * registry.register(plugin);
 * serveModel();
 */
export function serveModel(options: ServeModelOptions = {}): void {
  const port: WorkerPort = options.port ?? (globalThis as unknown as WorkerPort);
  const server = new ModelServer(options);
  const running = new Map<number, AbortController>();
  port.addEventListener("message", (event) => {
    const { data } = event as MessageEvent<unknown>;
    if (!isOurs<PageMessage>(data)) return;
    const id = data.foretoken;
    if ("abort" in data) return running.get(id)?.abort();
    const controller = new AbortController();
    if (data.isAborted) controller.abort();
    running.set(id, controller);
    const note = (value: unknown) => port.postMessage({ foretoken: id, note: value });
    const { signal } = controller;
    answer(data, server, { signal, note })
      .then((result) => port.postMessage({ foretoken: id, result }))
      .catch((error) => port.postMessage({ foretoken: id, error: toPlainError(error) }))
      .finally(() => running.delete(id));
  });
  port.start?.();
}

interface CallContext {
  readonly signal: AbortSignal;
  readonly note: (value: unknown) => void;
}

async function answer(
  message: Extract<PageMessage, { call: unknown }>,
  server: ModelServer,
  context: CallContext,
): Promise<unknown> {
  switch (message.call) {
    case "load":
      return server.load(message.input, context);
    case "generate":
      return runGeneration(server.host, { ...message.input, signal: context.signal }, context.note);
    case "calibrate":
      return server.calibrate(context.signal);
    case "plugins":
      return server.plugins();
    case "endChat":
      return server.host.chats.end(message.input);
    case "dispose":
      return server.dispose();
  }
}

const KEPT_CHATS = 2;

/** The one model of a worker. */
class ModelServer {
  readonly #options: ServeModelOptions;
  readonly #registry: Registry;
  #isLoading = false;
  #loaded:
    | { readonly model: LoadedModel; readonly drafts: DraftModels; readonly host: GenerationHost }
    | undefined;
  #release: (() => void) | undefined;

  constructor(options: ServeModelOptions) {
    this.#options = options;
    this.#registry = options.registry ?? sharedRegistry;
  }

  get host(): GenerationHost {
    return this.#held.host;
  }

  get #held() {
    if (this.#loaded !== undefined) return this.#loaded;
    throw new DecodingError("DISPOSED", {
      message: "The worker holds no model.",
      fix: "Load one with createWorkerModel().",
    });
  }

  async load(
    { source, base, lock, ...options }: WorkerCalls["load"],
    { signal, note }: CallContext,
  ): Promise<WorkerModelInfo> {
    const tell: (told: LoadNote) => void = note;
    if (this.#isLoading || this.#loaded !== undefined) throw taken();
    this.#isLoading = true;
    try {
      // The lock of a load that failed is let go only now: its page may still be listening.
      this.#release?.();
      this.#release = await holdLock(lock);
      tell({ started: true });
      // Imported when used: a page that imports only the client needs no tokenizer and no graph writer.
      const load = this.#options.load ?? (await import("../load-model.ts")).loadModel;
      const model = await load(pageAddress(source, base), {
        ...options,
        signal,
        onProgress: (progress) => tell({ progress }),
        onWarning: (warning) => tell({ warning }),
      });
      const { device } = model;
      const drafts = new DraftModels((name, until) =>
        load(pageAddress(name, base), { ...options, device: device as DeviceName, signal: until }),
      );
      const { keptChats = KEPT_CHATS } = this.#options;
      const resources = { loadModel: drafts.loadModel, ...this.#options.resources };
      const chats = new ChatSessions(model, keptChats);
      this.#loaded = { model, drafts, host: { model, registry: this.#registry, resources, chats } };
      return infoOf(model);
    } finally {
      this.#isLoading = false;
    }
  }

  async calibrate(signal: AbortSignal): Promise<WorkerCost> {
    return { isMeasured: true, table: await this.#held.model.calibrate({ signal }) };
  }

  /** With the options of those that are loaded only on demand, so that forms can be made of them. */
  async plugins() {
    const names = this.#registry.list().map(({ name }) => name);
    await Promise.all(names.map((name) => this.#registry.load(name)));
    return names.map((name) => this.#registry.describe(name));
  }

  async dispose(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    await loaded?.model.dispose();
    await loaded?.drafts.dispose();
    this.#release?.();
  }
}

const ROWS = [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64];
const CONTEXTS = [32, 128, 512, 1024, 2048, 4096];

function infoOf(model: LoadedModel): WorkerModelInfo {
  const contexts = CONTEXTS.filter((context, index) => index === 0 || context <= model.contextLength);
  const table: CostTable = {
    rows: ROWS,
    contexts,
    ms: contexts.map((context) => ROWS.map((rows) => model.cost.ms(rows, context))),
  };
  return {
    id: model.id,
    contentHash: model.contentHash,
    device: model.device,
    deviceReason: model.deviceReason,
    dtype: model.dtype,
    vocabularySize: model.vocabularySize,
    contextLength: model.contextLength,
    layers: model.layers,
    width: model.width,
    hasChatTemplate: model.tokenizer.hasChatTemplate,
    runtimeVersion: model.runtimeVersion,
    threads: model.threads,
    selfTest: { ...model.selfTest },
    cost: { isMeasured: model.cost.isMeasured, table },
  };
}

/** Addresses belong to the page; a worker would resolve them against its script. */
function pageAddress<Source extends string | Blob>(
  source: Source,
  base: string | undefined,
): Source | string {
  const isAddress = typeof source === "string" && /[/\\]|\.gguf$/i.test(source);
  return isAddress && base !== undefined ? new URL(source, base).href : source;
}

function taken(): DecodingError {
  return new DecodingError("INVALID_OPTION", {
    message: "The worker holds a model already, or is loading one.",
    fix: "Give every model a worker of its own, or dispose of the first.",
  });
}
