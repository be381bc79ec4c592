import { DecodingError, mergeRequirements, type Requirements } from "@foretoken/core";
import { DecoderExecutor, type Features } from "./decoder-executor.ts";
import type { Backend } from "./device/backend.ts";
import { inTurn } from "./device/run-queue.ts";
import { decoderWeights } from "./graph/decoder-weights.ts";
import type { GraphExtension } from "./graph/graph-extension.ts";
import { folderStore, type GraphStore, memoryStore } from "./graph/graph-store.ts";
import type { Arithmetic } from "./graph/linear.ts";
import { originNotes } from "./graph/origin-notes.ts";
import { SlotPool } from "./pool/slot-pool.ts";
import { type SelfTestVerdict, selfTest } from "./self-test.ts";
import { type EmbeddingTable, openEmbedding } from "./weights/embedding-table.ts";
import type { WeightDtype } from "./weights/linear-layout.ts";
import type { ModelWeights } from "./weights/model-weights.ts";

/** What decides whether two models can be one engine. */
export interface EngineOptions {
  readonly dtype: WeightDtype;
  readonly cacheFolder: string | undefined;
  readonly threads: number;
  readonly poolRows: number;
}

/** Weights on a device with the rows of their sessions; what models of the same weights share. */
export class Engine {
  readonly backend: Backend;
  readonly pool: SlotPool;
  readonly executor: DecoderExecutor;
  readonly store: GraphStore;
  readonly embedding: EmbeddingTable;
  readonly selfTest: SelfTestVerdict;
  /** Words for what computes, to keep measurements under. */
  readonly machine: string;
  #prepared: Requirements = {};
  #holders = 1;
  /** Read again when the graph is rebuilt, whichever model is left by then. */
  readonly source: ModelWeights;
  readonly #onReleased: () => void;

  private constructor(
    parts: Pick<Engine, "backend" | "pool" | "executor" | "store" | "embedding" | "selfTest" | "machine">,
    source: ModelWeights,
    onReleased: () => void,
  ) {
    this.source = source;
    this.backend = parts.backend;
    this.pool = parts.pool;
    this.executor = parts.executor;
    this.store = parts.store;
    this.embedding = parts.embedding;
    this.selfTest = parts.selfTest;
    this.machine = parts.machine;
    this.#onReleased = onReleased;
  }

  /** Loads weights onto a device and tests it; takes over `source` unless it throws. @throws as `loadRuntime` does */
  static async open(
    source: ModelWeights,
    backend: Backend,
    options: EngineOptions,
    onReleased: () => void = () => {},
  ): Promise<Engine> {
    const { config, contentHash } = source;
    const { dtype, cacheFolder, threads, poolRows } = options;
    const arithmetic = arithmeticOf(backend, dtype);
    const encoding = arithmetic.floatType === "float16" && dtype !== "fp16" ? `${dtype}-fp16` : dtype;
    const store =
      cacheFolder === undefined
        ? memoryStore(originNotes(contentHash, encoding))
        : await folderStore(cacheFolder, contentHash, encoding);
    const pool = new SlotPool(backend.createStore(config, arithmetic.floatType), poolRows);
    const embedding = await openEmbedding(source.tensor("embedding")!);
    const executor = new DecoderExecutor({
      config,
      backend,
      pool,
      threads,
      weights: await decoderWeights(source, dtype, arithmetic),
      embedding,
      store,
    });
    await inTurn(() => executor.load(executor.features));
    const machine = [backend.device, backend.version, backend.adapter].filter(Boolean).join("-");
    const verdictName = `self-test-${machine}`;
    let verdict = (await store.recall(verdictName)) as SelfTestVerdict | undefined;
    if (verdict?.verifiesTrees === undefined) {
      verdict = await inTurn(() => selfTest(executor, pool, config.vocabularySize));
      await store.keep(verdictName, verdict);
    }
    executor.mostRows = verdict.mostRows ?? Number.POSITIVE_INFINITY;
    const parts = { backend, pool, executor, store, embedding, selfTest: verdict, machine };
    return new Engine(parts, source, onReleased);
  }

  /** One more model uses it. */
  retain(): this {
    this.#holders++;
    return this;
  }

  /** One model less; the last one frees weights and rows. */
  async release(): Promise<void> {
    if (--this.#holders > 0) return;
    this.#onReleased();
    await inTurn(async () => {
      this.pool.store.release();
      await this.executor.release();
    });
    await this.source.dispose();
  }

  /** Whether all models are gone. */
  get isReleased(): boolean {
    return this.#holders === 0;
  }

  /** Rebuilds the graph when requirements add to it; never takes anything away that another model needs. */
  async prepare(requirements: Requirements): Promise<void> {
    const prepared = mergeRequirements([this.#prepared, requirements]);
    const features = featuresOf(prepared);
    const key = (of: Features) => featuresKey(of, this.backend.reduces);
    if (key(features) !== key(this.executor.features)) await this.executor.load(features);
    // Only now: what could not be built must not come back with the next requirements.
    this.#prepared = prepared;
  }
}

/** What a model computes in on a device. */
function arithmeticOf({ device, hasFloat16 }: Backend, dtype: WeightDtype): Arithmetic {
  checkDtype({ device, hasFloat16 }, dtype);
  if (device !== "webgpu") return { floatType: "float32", accuracyLevel: 4, product: "FusedMatMul" };
  const floatType = hasFloat16 && dtype !== "fp32" ? "float16" : "float32";
  return { floatType, accuracyLevel: 0, product: "Gemm" };
}

/**
 * Checks a dtype before anything is fetched.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE` for float16 where it is not computed in
 */
export function checkDtype(
  { device, hasFloat16 }: Pick<Backend, "device" | "hasFloat16">,
  dtype: WeightDtype,
): void {
  if (dtype !== "fp16" || hasFloat16) return;
  throw new DecodingError("DEVICE_UNAVAILABLE", {
    message:
      device === "webgpu"
        ? 'dtype "fp16" was asked for, but the WebGPU adapter has no feature "shader-f16".'
        : `dtype "fp16" was asked for, but device "${device}" does not compute in float16.`,
    fix: 'Use dtype "stored" or "fp32".',
  });
}

function featuresOf(requirements: Requirements): Features {
  const { hidden = [], prefillHidden = [], gates, extensions = [], topK = 0, prefillTopK = 0 } = requirements;
  return {
    hidden: [...new Set([...hidden, ...prefillHidden])],
    gates: gates ?? false,
    extensions: extensions as readonly GraphExtension[],
    topK: Math.max(topK, prefillTopK),
  };
}

/** Equal for features that make the same graph. */
function featuresKey({ hidden, gates, extensions, topK }: Features, reduces: boolean): string {
  const names = extensions.map(({ name }) => name).sort();
  return JSON.stringify([[...hidden].sort(), gates, names, reduces ? topK : 0]);
}
