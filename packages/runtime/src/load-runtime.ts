import {
  type CostCurve,
  DecodingError,
  type HiddenSite,
  type Model,
  type Requirements,
  type RowInput,
  type SessionOptions,
  type TokenId,
  type Tokenizer,
  type Wants,
} from "@foretoken/core";
import { CPU_ROWS, GPU_ROWS, measureCost } from "./calibrate.ts";
import { assumedCost, type CostTable, costCurve, isCostTable } from "./cost-curve.ts";
import type { DecoderExecutor } from "./decoder-executor.ts";
import type { DeviceName } from "./device/backend.ts";
import { openBackend, usableThreads } from "./device/open-backend.ts";
import { inTurn } from "./device/run-queue.ts";
import type { GraphExtension } from "./graph/graph-extension.ts";
import { HeadModels } from "./head-models.ts";
import type { SelfTestVerdict } from "./self-test.ts";
import { PassQueue } from "./session/pass-queue.ts";
import { RuntimeSession, type SessionHost } from "./session/runtime-session.ts";
import { aborted, disposed } from "./session/session-errors.ts";
import { engineFor } from "./shared-engines.ts";
import type { DraftHead } from "./weights/head-weights.ts";
import type { WeightDtype } from "./weights/linear-layout.ts";
import type { ModelWeights } from "./weights/model-weights.ts";

/** How weights become a model. */
export interface RuntimeOptions {
  /** What the user calls the model; default its content hash. */
  readonly id?: string;
  readonly tokenizer?: Tokenizer;
  /** Default `stored` on `cpu` and `webgpu`, `fp32` on `wasm`. */
  readonly dtype?: WeightDtype;
  /** Default `cpu`. */
  readonly device?: DeviceName;
  /** Where encoded weights are kept; without it they are kept in memory. */
  readonly cacheFolder?: string;
  /** Threads of one operator; default the CPUs this process may use. */
  readonly threads?: number;
  /** Most cached rows of all sessions together; default twice the context length. Memory is taken as needed. */
  readonly poolRows?: number;
}

/** A loaded model, and what only the runtime can say about it. */
export interface RuntimeModel extends Model {
  /** The WebGPU device in a browser, for the page to use too; all models of a page share it. */
  readonly gpu?: GPUDevice;
  /** Bytes copied from the device since it was opened, by all models on it; 0 where there is no other memory. */
  readonly bytesRead: number;
  /** Version of the ONNX Runtime package that runs it. */
  readonly runtimeVersion: string;
  readonly threads: number;
  /** Cached rows of all sessions, and the bytes that hold them. */
  readonly cacheUse: { readonly rows: number; readonly bytes: number };
  /** What the self-test of this model on this device found, now or when it was loaded first. */
  readonly selfTest: SelfTestVerdict;
  /**
   * A copy of a token's input embedding `[D]`.
   *
   * @throws `UNKNOWN_TOKEN`
   */
  embeddingOf(token: TokenId): Float32Array;
  /**
   * Measures {@link Model.cost} on this machine and keeps it beside the weights; a few seconds.
   *
   * @throws `ABORTED`, `DISPOSED`
   */
  calibrate(options?: { readonly signal?: AbortSignal }): Promise<CostTable>;
  /**
   * Loads a trained draft head as a small model beside this one, on one thread: same device and dtype, this model's embeddings and head
   * rows. Its rows carry {@link RowInput.feature}, its logits are `[V']`, one for each token of the head's vocabulary. The same
   * head is loaded once, and disposed with this model.
   *
   * @throws `SHAPE_MISMATCH`, `UNKNOWN_TOKEN`, and as {@link loadRuntime}
   */
  loadHead(head: DraftHead): Promise<RuntimeModel>;
}

/**
 * Loads a model: writes its graph, encodes its weights (or finds them in the cache), opens the device.
 *
 * Takes over `weights`: they are disposed with the model, or at once when this throws.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE`, `DEVICE_FAILED`, `CACHE_NOT_WRITABLE`, `INVALID_OPTION`
 */
export async function loadRuntime(
  weights: ModelWeights,
  options: RuntimeOptions = {},
): Promise<RuntimeModel> {
  try {
    return await open(weights, options);
  } catch (error) {
    await weights.dispose();
    throw error;
  }
}

async function open(source: ModelWeights, options: RuntimeOptions): Promise<RuntimeModel> {
  const { config, contentHash } = source;
  const { device = "cpu", tokenizer, cacheFolder, id = contentHash } = options;
  const dtype = options.dtype ?? defaultDtype(device);
  const poolRows = wholeNumber("poolRows", options.poolRows ?? 2 * config.contextLength);
  const threads = wholeNumber("threads", options.threads ?? (await usableThreads()));
  const backend = await openBackend(device);
  const engine = await engineFor(source, backend, { dtype, cacheFolder, threads, poolRows });
  const { executor, pool, store } = engine;
  const costName = `cost-${engine.machine}-${threads}`;
  const measured = await store.recall(costName);

  const sessions = new Set<RuntimeSession>();
  const queue = new PassQueue(pool, (pass) => executor.run(pass));
  let cost: CostCurve = isCostTable(measured) ? costCurve(measured, true) : assumedCost(device, dtype);
  const takesFeatures = engine.source.tensor("inputProjection") !== undefined;
  const heads = new HeadModels(engine.source, (weights, headId) =>
    // One thread: others would still be spinning for more of its work when the target's next pass needs their cores.
    loadRuntime(weights, { id: headId, tokenizer, dtype, device, cacheFolder, threads: 1, poolRows }),
  );
  let isDisposed = false;
  const model: RuntimeModel = {
    id,
    contentHash,
    device,
    dtype,
    vocabularySize: config.vocabularySize,
    contextLength: config.contextLength,
    layers: config.layers,
    width: config.width,
    tokenizer,
    get cost() {
      return cost;
    },
    selfTest: engine.selfTest,
    gpu: backend.gpu,
    get bytesRead() {
      return backend.bytesRead;
    },
    runtimeVersion: backend.version,
    threads,
    get cacheUse() {
      return { rows: pool.live, bytes: pool.store.bytes };
    },
    unsupported: (requirements) => [
      ...unsupported(id, config.layers, requirements),
      ...(requirements.tree && !model.selfTest.verifiesTrees
        ? [`${id} verifies chains only: device ${device} failed the self-test of trees.`]
        : []),
    ],
    async prepare(requirements, { signal } = {}) {
      if (isDisposed) throw disposed("model");
      if (signal?.aborted) throw aborted(signal);
      const [reason] = model.unsupported(requirements);
      if (reason !== undefined) {
        throw new DecodingError("UNSUPPORTED", { message: reason, fix: "Use another decoder or model." });
      }
      await inTurn(async () => {
        if (isDisposed) throw disposed("model");
        await engine.prepare(requirements);
      });
    },
    embeddingOf(token) {
      if (!(Number.isInteger(token) && token >= 0 && token < config.vocabularySize)) {
        throw new DecodingError("UNKNOWN_TOKEN", {
          message: `The embedding of token ${token} was asked for, but the vocabulary has ${config.vocabularySize}.`,
          fix: "Ask for ids from 0 to one below the vocabulary's size.",
        });
      }
      const row = new Float32Array(config.width);
      engine.embedding.row(token, row, 0);
      return row;
    },
    async calibrate({ signal } = {}) {
      const session = model.createSession();
      try {
        const table = await measureCost(session, device === "webgpu" ? GPU_ROWS : CPU_ROWS, signal);
        cost = costCurve(table, true);
        await store.keep(costName, table);
        return table;
      } finally {
        session.dispose();
      }
    },
    async loadHead(head) {
      if (isDisposed) throw disposed("model");
      return heads.get(head);
    },
    createSession({ contextLength = config.contextLength }: SessionOptions = {}) {
      if (isDisposed) throw disposed("model");
      const most = Math.min(wholeNumber("contextLength", contextLength), config.contextLength);
      return new RuntimeSession(host, most);
    },
    async dispose() {
      if (isDisposed) return;
      isDisposed = true;
      queue.close();
      // Its own pass may be under way.
      await inTurn(async () => {});
      for (const session of sessions) session.dispose();
      await heads.dispose();
      await engine.release();
    },
  };
  const host: SessionHost = {
    model,
    pool,
    queue,
    sessions,
    graph: executor,
    check: (rows, wants) => {
      checkPrepared(executor, rows, wants);
      if (!takesFeatures) refuseFeatures(id, rows);
    },
  };
  return model;
}

/** What weights are kept in unless told otherwise. */
export function defaultDtype(device: DeviceName): WeightDtype {
  return device === "wasm" ? "fp32" : "stored";
}

function unsupported(id: string, layers: number, requirements: Requirements): string[] {
  const isSite = (site: HiddenSite) =>
    site === "final" || (Number.isInteger(site) && site >= 0 && site <= layers);
  const sites = [...(requirements.hidden ?? []), ...(requirements.prefillHidden ?? [])];
  return [
    ...sites
      .filter((site) => !isSite(site))
      .map((site) => `${id} has no hidden states at site ${site}: it has ${layers} layers.`),
    ...(requirements.extensions ?? []).flatMap((extension) => {
      const fault = faultOf(extension, layers);
      return fault === undefined
        ? []
        : [`${id} cannot build the graph extension ${extension.name}: ${fault}.`];
    }),
  ];
}

/** What is wrong with an extension for a graph of so many layers. */
function faultOf({ site, build }: Partial<GraphExtension>, layers: number): string | undefined {
  if (typeof build !== "function") return "it has no build function";
  if (typeof site !== "object") return undefined;
  const { after } = site;
  const isInside = Number.isInteger(after) && after >= 0 && after <= layers;
  return isInside ? undefined : `it stands behind ${after} of ${layers} layers`;
}

function checkPrepared(
  { features: { hidden, gates }, inputs }: Pick<DecoderExecutor, "features" | "inputs">,
  rows: readonly RowInput[],
  wants: Wants,
): void {
  const missing = (wants.hidden ?? [])
    .filter((site) => !hidden.includes(site))
    .map((site) => `hidden: [${JSON.stringify(site)}]`);
  if (wants.layers !== undefined && !gates) missing.push("gates: true");
  const integerNames = [...inputs.integers, ...inputs.ancestors];
  for (const name of new Set(rows.flatMap(({ integers }) => Object.keys(integers ?? {})))) {
    if (!integerNames.includes(name)) missing.push(`an extension with rowIntegers or rowAncestors "${name}"`);
  }
  for (const name of new Set(rows.flatMap(({ vectors }) => Object.keys(vectors ?? {})))) {
    if (!inputs.vectors.has(name)) missing.push(`an extension with rowVectors "${name}"`);
  }
  if (missing.length === 0) return;
  throw new DecodingError("UNSUPPORTED", {
    message: `The pass uses what the model was not prepared for: ${missing.join(", ")}.`,
    fix: "Name it in requirements, and call model.prepare(requirements) first.",
  });
}

function refuseFeatures(id: string, rows: readonly RowInput[]): void {
  const row = rows.findIndex(({ feature }) => feature !== undefined);
  if (row < 0) return;
  throw new DecodingError("UNSUPPORTED", {
    message: `Row ${row} carries a feature, but ${id} is no draft head.`,
    fix: "Give features to models that loadHead() returns.",
  });
}

function wholeNumber(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new DecodingError("INVALID_OPTION", {
    message: `${name} is ${value}.`,
    fix: "Give a whole number of at least 1.",
  });
}
