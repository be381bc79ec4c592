import { DecodingError, type HiddenSite, hasCode } from "@foretoken/core";
import type { Backend, Executable, HostTensor, OutputRows } from "./device/backend.ts";
import { joinRows } from "./device/join-rows.ts";
import { type DecoderFeatures, writeDecoder } from "./graph/decoder-graph.ts";
import type { DecoderWeights } from "./graph/decoder-weights.ts";
import { type ExtensionInputs, extensionFeeds, extensionInputs } from "./graph/extension-inputs.ts";
import type { GraphStore } from "./graph/graph-store.ts";
import { PORTS } from "./graph/ports.ts";
import { REDUCED_COLUMNS } from "./graph/reductions.ts";
import type { SlotPool } from "./pool/slot-pool.ts";
import { VisibilityBias, type Window } from "./pool/visibility.ts";
import type { FusedPass, FusedResult, LogitsRow } from "./session/pass-queue.ts";
import { cutPass } from "./session/row-ancestors.ts";
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
export type Features = Omit<DecoderFeatures, "attention" | "reduces">;

/** Rows by which the looked-at part of the cache grows. */
const LOOKED_AT_STEP = 32;

/** What one run of the graph returned. */
interface Chunk {
  /** `T` */
  readonly rows: number;
  /** Rows that have logits. */
  readonly logits: number;
  readonly outputs: Readonly<Record<string, OutputRows>>;
}

/** Holds the loaded graph, and runs passes through it. Calls must come one at a time. */
export class DecoderExecutor {
  readonly #parts: ExecutorParts;
  readonly #bias: VisibilityBias;
  #features: Features = { hidden: [], gates: false, extensions: [], topK: 0 };
  #inputs = extensionInputs([]);
  #executable: Executable | undefined;
  #embeddings = new Float32Array(0);
  /** Most rows that the device computes rightly in one pass; longer ones are cut. */
  mostRows = Number.POSITIVE_INFINITY;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    const { heads, keyValueHeads } = parts.config;
    this.#bias = new VisibilityBias(parts.backend.attention === "fused" ? 1 : heads / keyValueHeads);
  }

  get features(): Features {
    return this.#features;
  }

  /** What rows may carry for the extensions of the graph. */
  get inputs(): ExtensionInputs {
    return this.#inputs;
  }

  /**
   * Loads a graph with `features` in place of the one before. Texts stay: their keys and values lie outside.
   *
   * The old graph goes first, because two would hold the weights twice; when the new one fails, the next pass or
   * load tries again with what was there before.
   */
  async load(features: Features): Promise<void> {
    const { config, weights, store, backend, threads, pool } = this.#parts;
    const { attention, reduces } = backend;
    const graph = writeDecoder(config, weights, { ...features, attention, reduces });
    const keep = [PORTS.logits, ...features.hidden.map(PORTS.hidden)];
    await this.release();
    try {
      const loadable = await store.loadable(graph);
      this.#executable = await backend.load(loadable, { threads, store: pool.store, keep });
    } catch (cause) {
      if (hasCode(cause)) throw cause;
      throw new DecodingError("DEVICE_FAILED", {
        message: `Device "${backend.device}" could not load the graph: ${messageOf(cause)}.`,
        fix: "Check free memory and the version of ONNX Runtime; try another device or dtype.",
        cause,
      });
    }
    this.#features = features;
    this.#inputs = extensionInputs(features.extensions);
  }

  async release(): Promise<void> {
    const executable = this.#executable;
    this.#executable = undefined;
    await executable?.release();
  }

  /** @throws `DecodingError` `DEVICE_FAILED`, `DEVICE_LOST` */
  async run(pass: FusedPass): Promise<FusedResult> {
    if (!this.#executable) await this.load(this.#features);
    const { backend } = this.#parts;
    const chunks: Chunk[] = [];
    try {
      let first = 0;
      for (const end of cutPass(pass.rows, this.mostRows)) {
        chunks.push(await this.#runChunk(pass, first, end));
        first = end;
      }
    } catch (cause) {
      for (const chunk of chunks) disposeAll(chunk.outputs);
      if (hasCode(cause)) throw cause;
      throw new DecodingError("DEVICE_FAILED", {
        message: `A pass of ${pass.rows.length} rows failed on device "${backend.device}": ${messageOf(cause)}.`,
        fix: "Free memory or lower the number of rows; load the model again if it goes on.",
        cause,
      });
    }
    return {
      logits: chunks.flatMap((chunk) => this.#logits(chunk)),
      hidden: new Map(
        pass.hidden.map((site: HiddenSite) => [
          site,
          joinRows(chunks.map(({ rows, outputs }) => ({ rows, part: outputs[PORTS.hidden(site)] }))),
        ]),
      ),
      dispose: () => {
        for (const chunk of chunks) disposeAll(chunk.outputs);
      },
    };
  }

  /** Runs the rows from `first` to before `end`; they see those of earlier chunks in the cache. */
  async #runChunk(pass: FusedPass, first: number, end: number): Promise<Chunk> {
    const { backend, pool } = this.#parts;
    const logitRows = pass.logitRows.filter((row) => row >= first && row < end).map((row) => row - first);
    const names: string[] = pass.hidden.map(PORTS.hidden);
    if (logitRows.length > 0) names.push(PORTS.logits);
    if (logitRows.length > 0 && backend.reduces) {
      names.push(PORTS.reductions);
      if (this.#features.topK > 0) names.push(PORTS.topIds);
    }
    const extent = pass.slots[end - 1].index + 1;
    // In place, the graph looks at whole steps of rows, so that what is made of the cache stays the same for a while.
    const lookedAt =
      backend.attention === "in-place"
        ? Math.min(roundUp(extent, LOOKED_AT_STEP), pool.store.capacity)
        : extent;
    const outputs = await this.#executable!.run({
      feeds: this.#feeds(pass, { first, end, lookedAt, logitRows }),
      firstSlot: pass.slots[first].index,
      rows: end - first,
      lookedAt,
      outputs: names,
    });
    return { rows: end - first, logits: logitRows.length, outputs };
  }

  #logits({ logits, outputs }: Chunk): LogitsRow[] {
    const { vocabularySize } = this.#parts.config;
    const { [PORTS.logits]: values, [PORTS.reductions]: reductions, [PORTS.topIds]: topIds } = outputs;
    return Array.from({ length: logits }, (_, row) => ({
      isHost: values.isHost,
      // Padding ids have rows in the head, but never leave it.
      read: () => {
        const read = values.read(row, 1);
        if (read instanceof Float32Array) return read.subarray(0, vocabularySize);
        return read.then((whole) => whole.subarray(0, vocabularySize));
      },
      ...(reductions && { reduced: reductionsOf(hostRow(reductions, row), topIds && hostRow(topIds, row)) }),
    }));
  }

  #feeds(
    pass: FusedPass,
    { first, end, lookedAt, logitRows }: Window & { readonly logitRows: readonly number[] },
  ): Record<string, HostTensor> {
    const { config, weights, embedding, backend } = this.#parts;
    const { width } = config;
    const rows = pass.rows.slice(first, end);
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
    const isFused = backend.attention === "fused";
    const bias = this.#bias.build(pass.texts, { first, end, lookedAt });
    // Some devices take no tensors without elements; what they compute for row 0 is not read.
    const headRows = isFused && logitRows.length === 0 ? [0] : logitRows;
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
      [PORTS.bias]: {
        type: "float32",
        shape: isFused ? [1, 1, count, lookedAt] : [1, bias.length / lookedAt, lookedAt],
        data: bias,
      },
      [PORTS.logitRows]: integers(headRows, [headRows.length]),
    };
    if (isFused) {
      feeds[PORTS.lastSlot] = { type: "int32", shape: [1], data: Int32Array.of(lookedAt - 1) };
      feeds[PORTS.extent] = { type: "int32", shape: [1], data: Int32Array.of(lookedAt) };
    }
    if (this.#features.gates) {
      for (let layer = 0; layer < config.layers; layer++) {
        const runs = pass.layers?.[layer] ?? true;
        feeds[PORTS.run(layer)] = { type: "bool", shape: [], data: Uint8Array.of(runs ? 1 : 0) };
      }
    }
    Object.assign(feeds, extensionFeeds(this.#inputs, rows, first));
    if (weights.inputProjection) {
      const data = new Float32Array(count * width);
      rows.forEach(({ feature }, row) => {
        if (feature) data.set(feature, row * width);
      });
      feeds[PORTS.features] = { type: "float32", shape: [1, count, width], data };
    }
    return feeds;
  }
}

function disposeAll(outputs: Chunk["outputs"]): void {
  for (const rows of Object.values(outputs)) rows.dispose();
}

/** A row of an output that is in the memory of JavaScript. */
function hostRow(rows: OutputRows, row: number): Float32Array {
  return rows.read(row, 1) as Float32Array;
}

/** Takes one row of {@link PORTS.reductions} apart. */
function reductionsOf(row: Float32Array, topIds: Float32Array = new Float32Array(0)): LogitsRow["reduced"] {
  return {
    argmax: row[0],
    logSumExp: row[1],
    topLogits: row.subarray(REDUCED_COLUMNS),
    topIds: Int32Array.from(topIds),
  };
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
}
