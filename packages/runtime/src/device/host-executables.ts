import type { InferenceSession, Tensor } from "onnxruntime-web";
import { PORTS } from "../graph/ports.ts";
import type { KeyValueCache } from "../pool/key-value-cache.ts";
import type { Executable, OutputRows, Run } from "./backend.ts";
import { hostRows } from "./host-rows.ts";
import { type Feeds, type OnnxRuntime, toTensor } from "./onnx-runtime.ts";

/** A session whose new rows are outputs that lie in the cache, where attention reads them in the same pass. */
export class InPlaceExecutable implements Executable {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;
  readonly #cache: KeyValueCache;
  /** Inputs made of the cache; they stay the same while its buffers do, and the number of rows looked at. */
  #past: { readonly buffer: ArrayBufferLike; readonly rows: number; readonly feeds: Feeds } | undefined;

  constructor(runtime: OnnxRuntime, session: InferenceSession, cache: KeyValueCache) {
    this.#runtime = runtime;
    this.#session = session;
    this.#cache = cache;
  }

  async run({ feeds, firstSlot, rows, lookedAt, outputs }: Run): Promise<Record<string, OutputRows>> {
    const cache = this.#cache;
    // Whole steps of rows, so that what is made of the cache stays the same for a while.
    const all: Feeds = { ...this.#pastFeeds(lookedAt) };
    for (const name in feeds) all[name] = toTensor(this.#runtime, feeds[name]);
    const fetches: Record<string, Tensor | null> = {};
    const shape = [1, rows, cache.heads * cache.headSize];
    for (let layer = 0; layer < cache.layers; layer++) {
      const { Tensor } = this.#runtime;
      fetches[PORTS.newKey(layer)] = new Tensor("float32", cache.keys(layer, firstSlot, rows), shape);
      fetches[PORTS.newValue(layer)] = new Tensor("float32", cache.values(layer, firstSlot, rows), shape);
    }
    for (const name of outputs) fetches[name] = null;
    return outputRows(await this.#session.run(all, fetches), outputs);
  }

  release(): Promise<void> {
    this.#past = undefined;
    return this.#session.release();
  }

  #pastFeeds(rows: number): Feeds {
    const { buffer } = this.#cache.keys(0, 0, rows);
    if (this.#past?.buffer !== buffer || this.#past.rows !== rows) {
      this.#past = { buffer, rows, feeds: pastFeeds(this.#runtime, this.#cache, rows) };
    }
    return this.#past.feeds;
  }
}

/** A session that takes in a copy of the cache and returns the rows to add. */
export class CopyingExecutable implements Executable {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;
  readonly #cache: KeyValueCache;

  constructor(runtime: OnnxRuntime, session: InferenceSession, cache: KeyValueCache) {
    this.#runtime = runtime;
    this.#session = session;
    this.#cache = cache;
  }

  async run({ feeds, firstSlot, rows, outputs }: Run): Promise<Record<string, OutputRows>> {
    const cache = this.#cache;
    const all = pastFeeds(this.#runtime, cache, firstSlot);
    for (const name in feeds) all[name] = toTensor(this.#runtime, feeds[name]);
    const layers = Array.from({ length: cache.layers }, (_, layer) => layer);
    const newRows = layers.flatMap((layer) => [PORTS.newKey(layer), PORTS.newValue(layer)]);
    const results = await this.#session.run(all, [...outputs, ...newRows]);
    const values = (name: string) => results[name].data as Float32Array;
    for (const layer of layers) {
      cache.keys(layer, firstSlot, rows).set(values(PORTS.newKey(layer)));
      cache.values(layer, firstSlot, rows).set(values(PORTS.newValue(layer)));
    }
    return outputRows(results, outputs);
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function pastFeeds({ Tensor }: OnnxRuntime, cache: KeyValueCache, rows: number): Feeds {
  const shape = [rows, cache.heads, cache.headSize];
  const feeds: Feeds = {};
  for (let layer = 0; layer < cache.layers; layer++) {
    feeds[PORTS.key(layer)] = new Tensor("float32", cache.keys(layer, 0, rows), shape);
    feeds[PORTS.value(layer)] = new Tensor("float32", cache.values(layer, 0, rows), shape);
  }
  return feeds;
}

function outputRows(
  results: InferenceSession.OnnxValueMapType,
  names: readonly string[],
): Record<string, OutputRows> {
  return Object.fromEntries(
    names.map((name) => {
      const { data, dims } = results[name];
      return [name, hostRows(data as Float32Array, dims[dims.length - 1])];
    }),
  );
}
