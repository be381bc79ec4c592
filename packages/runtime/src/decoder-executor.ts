import { DecodingError, type HiddenSite, hasCode } from "@foretoken/core";
import type { Backend, Executable, HostTensor } from "./device/backend.ts";
import { type DecoderFeatures, writeDecoder } from "./graph/decoder-graph.ts";
import type { DecoderWeights } from "./graph/decoder-weights.ts";
import type { GraphStore } from "./graph/graph-store.ts";
import { PORTS } from "./graph/ports.ts";
import type { SlotPool } from "./pool/slot-pool.ts";
import { VisibilityBias } from "./pool/visibility.ts";
import type { FusedPass, FusedResult } from "./session/pass-queue.ts";
import type { EmbeddingTable } from "./weights/embedding-table.ts";
import type { ModelConfig } from "./weights/model-weights.ts";

/** What the executor is made of. */
export interface ExecutorParts {
  readonly config: ModelConfig;
  readonly weights: DecoderWeights;
  readonly embedding: EmbeddingTable;
  readonly store: GraphStore;
  readonly backend: Backend;
  readonly pool: SlotPool;
  readonly threads: number;
}

/** The features a part may ask for. */
export type Features = Omit<DecoderFeatures, "writesCacheInPlace">;

/** Rows by which the looked-at part of the cache grows. */
const LOOKED_AT_STEP = 32;

/** Holds the loaded graph, and runs passes through it. Calls must come one at a time. */
export class DecoderExecutor {
  readonly #parts: ExecutorParts;
  readonly #bias: VisibilityBias;
  #features: Features = { hidden: [], gates: false, extensions: [] };
  #executable: Executable | undefined;
  #embeddings = new Float32Array(0);

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.#bias = new VisibilityBias(parts.config.heads / parts.config.keyValueHeads);
  }

  get features(): Features {
    return this.#features;
  }

  /**
   * Loads a graph with `features` in place of the one before. Texts stay: their keys and values lie outside.
   *
   * The old graph goes first, because two would hold the weights twice; when the new one fails, the next pass or
   * load tries again with what was there before.
   */
  async load(features: Features): Promise<void> {
    const { config, weights, store, backend, threads } = this.#parts;
    const { writesCacheInPlace } = backend;
    const graph = writeDecoder(config, weights, { ...features, writesCacheInPlace });
    await this.release();
    try {
      this.#executable = await backend.load(await store.loadable(graph), { threads });
    } catch (cause) {
      if (hasCode(cause)) throw cause;
      throw new DecodingError("DEVICE_FAILED", {
        message: `Device "${backend.device}" could not load the graph: ${messageOf(cause)}.`,
        fix: "Check free memory and the version of ONNX Runtime; try another device or dtype.",
        cause,
      });
    }
    this.#features = features;
  }

  async release(): Promise<void> {
    const executable = this.#executable;
    this.#executable = undefined;
    await executable?.release();
  }

  /** @throws `DecodingError` `DEVICE_FAILED` */
  async run(pass: FusedPass): Promise<FusedResult> {
    if (!this.#executable) await this.load(this.#features);
    const { config, backend, pool, weights } = this.#parts;
    const outputs: string[] = pass.hidden.map(PORTS.hidden);
    if (pass.logitRows.length > 0) outputs.push(PORTS.logits);
    const extent = pass.slots[pass.slots.length - 1].index + 1;
    const { cache } = pool;
    // In place, the graph looks at whole steps of rows, so that what is made of the cache stays the same for a while.
    const lookedAt = backend.writesCacheInPlace
      ? Math.min(roundUp(extent, LOOKED_AT_STEP), cache.capacity)
      : extent;
    let results: Readonly<Record<string, Float32Array>>;
    try {
      results = await this.#executable!.run({
        feeds: this.#feeds(pass, lookedAt),
        cache,
        cachedRows: backend.writesCacheInPlace ? lookedAt : pass.slots[0].index,
        firstSlot: pass.slots[0].index,
        rows: pass.rows.length,
        outputs,
      });
    } catch (cause) {
      throw new DecodingError("DEVICE_FAILED", {
        message: `A pass of ${pass.rows.length} rows failed on device "${backend.device}": ${messageOf(cause)}.`,
        fix: "Free memory or lower the number of rows; load the model again if it goes on.",
        cause,
      });
    }
    const stride = weights.head.layout.outputs;
    const logits = results[PORTS.logits];
    return {
      // Padding ids have rows in the head, but never leave it.
      logits: pass.logitRows.map((_, i) => logits.subarray(i * stride, i * stride + config.vocabularySize)),
      hidden: new Map(pass.hidden.map((site: HiddenSite) => [site, results[PORTS.hidden(site)]])),
    };
  }

  #feeds({ rows, texts, layers, logitRows }: FusedPass, lookedAt: number): Record<string, HostTensor> {
    const { config, embedding } = this.#parts;
    const { width } = config;
    const count = rows.length;
    if (this.#embeddings.length < count * width) this.#embeddings = new Float32Array(count * width);
    rows.forEach(({ token, embedding: injected }, row) => {
      if (injected) this.#embeddings.set(injected, row * width);
      else embedding.row(token!, this.#embeddings, row * width);
    });
    const integers = (values: readonly number[], shape: readonly number[]): HostTensor => ({
      type: "int64",
      shape,
      data: BigInt64Array.from(values, BigInt),
    });
    const bias = this.#bias.build(texts, lookedAt);
    const feeds: Record<string, HostTensor> = {
      [PORTS.embeddings]: {
        type: "float32",
        shape: [1, count, width],
        data: this.#embeddings.subarray(0, count * width),
      },
      [PORTS.positions]: integers(
        rows.map(({ position }) => position),
        [1, count],
      ),
      [PORTS.bias]: { type: "float32", shape: [1, bias.length / lookedAt, lookedAt], data: bias },
      [PORTS.logitRows]: integers(logitRows, [logitRows.length]),
    };
    if (this.#features.gates) {
      for (let layer = 0; layer < config.layers; layer++) {
        const runs = layers?.[layer] ?? true;
        feeds[PORTS.run(layer)] = { type: "bool", shape: [], data: Uint8Array.of(runs ? 1 : 0) };
      }
    }
    for (const name of this.#features.extensions.flatMap((extension) => extension.rowIntegers ?? [])) {
      feeds[name] = integers(
        rows.map((row) => row.integers?.[name] ?? 0),
        [1, count],
      );
    }
    return feeds;
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
}
