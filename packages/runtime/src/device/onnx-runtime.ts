import type { InferenceSession, Tensor } from "onnxruntime-web";
import { PORTS } from "../graph/ports.ts";
import { WEIGHTS_FILE } from "../graph/weights-file.ts";
import type { Executable, HostTensor, LoadableGraph, Run } from "./backend.ts";

/** What the packages of ONNX Runtime have in common. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (
    type: HostTensor["type"],
    data: HostTensor["data"],
    shape: readonly number[],
  ) => Tensor;
}

/** Session options that let a graph find its weights. */
export function weightOptions({ weights }: LoadableGraph): InferenceSession.SessionOptions {
  if ("bytes" in weights) return { externalData: [{ path: WEIGHTS_FILE, data: weights.bytes }] };
  return { extra: { session: { model_external_initializers_file_folder_path: weights.folder } } };
}

/** A session whose new rows are outputs that lie in the cache, where attention reads them in the same pass. */
export class InPlaceExecutable implements Executable {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;
  /** Inputs made of the cache; they stay the same while its buffers do, and the number of rows looked at. */
  #past: { readonly buffer: ArrayBufferLike; readonly rows: number; readonly feeds: Feeds } | undefined;

  constructor(runtime: OnnxRuntime, session: InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  async run({
    feeds,
    cache,
    cachedRows,
    firstSlot,
    rows,
    outputs,
  }: Run): Promise<Record<string, Float32Array>> {
    const all: Feeds = { ...this.#pastFeeds(cache, cachedRows) };
    for (const name in feeds) all[name] = toTensor(this.#runtime, feeds[name]);
    const fetches: Record<string, Tensor | null> = {};
    const shape = [1, rows, cache.heads * cache.headSize];
    for (let layer = 0; layer < cache.layers; layer++) {
      const { Tensor } = this.#runtime;
      fetches[PORTS.newKey(layer)] = new Tensor("float32", cache.keys(layer, firstSlot, rows), shape);
      fetches[PORTS.newValue(layer)] = new Tensor("float32", cache.values(layer, firstSlot, rows), shape);
    }
    for (const name of outputs) fetches[name] = null;
    const results = await this.#session.run(all, fetches);
    return Object.fromEntries(outputs.map((name) => [name, results[name].data as Float32Array]));
  }

  release(): Promise<void> {
    this.#past = undefined;
    return this.#session.release();
  }

  #pastFeeds(cache: Run["cache"], rows: number): Feeds {
    const { buffer } = cache.keys(0, 0, rows);
    if (this.#past?.buffer !== buffer || this.#past.rows !== rows) {
      this.#past = { buffer, rows, feeds: pastFeeds(this.#runtime, cache, rows) };
    }
    return this.#past.feeds;
  }
}

/** A session that takes in a copy of the cache and returns the rows to add. */
export class CopyingExecutable implements Executable {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;

  constructor(runtime: OnnxRuntime, session: InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  async run({
    feeds,
    cache,
    cachedRows,
    firstSlot,
    rows,
    outputs,
  }: Run): Promise<Record<string, Float32Array>> {
    const all = pastFeeds(this.#runtime, cache, cachedRows);
    for (const name in feeds) all[name] = toTensor(this.#runtime, feeds[name]);
    const layers = Array.from({ length: cache.layers }, (_, layer) => layer);
    const newRows = layers.flatMap((layer) => [PORTS.newKey(layer), PORTS.newValue(layer)]);
    const results = await this.#session.run(all, [...outputs, ...newRows]);
    const values = (name: string) => results[name].data as Float32Array;
    for (const layer of layers) {
      cache.keys(layer, firstSlot, rows).set(values(PORTS.newKey(layer)));
      cache.values(layer, firstSlot, rows).set(values(PORTS.newValue(layer)));
    }
    return Object.fromEntries(outputs.map((name) => [name, values(name)]));
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

type Feeds = Record<string, Tensor>;

function pastFeeds({ Tensor }: OnnxRuntime, cache: Run["cache"], rows: number): Feeds {
  const shape = [rows, cache.heads, cache.headSize];
  const feeds: Feeds = {};
  for (let layer = 0; layer < cache.layers; layer++) {
    feeds[PORTS.key(layer)] = new Tensor("float32", cache.keys(layer, 0, rows), shape);
    feeds[PORTS.value(layer)] = new Tensor("float32", cache.values(layer, 0, rows), shape);
  }
  return feeds;
}

function toTensor({ Tensor }: OnnxRuntime, { type, data, shape }: HostTensor): Tensor {
  return new Tensor(type, data, shape);
}
