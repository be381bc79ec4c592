import type { InferenceSession, Tensor } from "onnxruntime-common";
import { PORTS } from "../graph/decoder-graph.ts";
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

/** A session whose cache outputs share the buffers of the cache inputs, so that attention extends them in place. */
export class InPlaceExecutable implements Executable {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;
  /** Inputs and outputs made of the cache, valid while its buffers are. */
  #bound: { readonly firstKey: Float32Array; readonly feeds: InferenceSession.FeedsType } | undefined;
  readonly #fetches: Record<string, Tensor> = {};

  constructor(runtime: OnnxRuntime, session: InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  async run({ feeds, cache, outputs }: Run): Promise<Record<string, Float32Array>> {
    const all: Record<string, Tensor> = { ...this.#bind(cache) };
    for (const name in feeds) all[name] = toTensor(this.#runtime, feeds[name]);
    const fetches: Record<string, Tensor | null> = { ...this.#fetches };
    for (const name of outputs) fetches[name] = null;
    const results = await this.#session.run(all, fetches);
    return Object.fromEntries(outputs.map((name) => [name, results[name].data as Float32Array]));
  }

  release(): Promise<void> {
    this.#bound = undefined;
    return this.#session.release();
  }

  #bind(cache: Run["cache"]): InferenceSession.FeedsType {
    if (this.#bound?.firstKey === cache.key(0)) return this.#bound.feeds;
    const feeds: Record<string, Tensor> = {};
    for (const [name, next, tensor] of cacheTensors(this.#runtime, cache)) {
      feeds[name] = tensor;
      this.#fetches[next] = tensor;
    }
    this.#bound = { firstKey: cache.key(0), feeds };
    return feeds;
  }
}

/** A session that reads a copy of the cache and returns the rows to add. */
export class CopyingExecutable implements Executable {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;

  constructor(runtime: OnnxRuntime, session: InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  async run({ feeds, cache, firstSlot, rows, outputs }: Run): Promise<Record<string, Float32Array>> {
    const all: Record<string, Tensor> = {};
    for (const [name, , tensor] of cacheTensors(this.#runtime, cache)) all[name] = tensor;
    for (const name in feeds) all[name] = toTensor(this.#runtime, feeds[name]);
    const layers = Array.from({ length: cache.layers }, (_, layer) => layer);
    const newRows = layers.flatMap((layer) => [PORTS.nextKey(layer), PORTS.nextValue(layer)]);
    const results = await this.#session.run(all, [...outputs, ...newRows]);
    const values = (name: string) => results[name].data as Float32Array;
    for (const layer of layers) {
      cache.write(layer, firstSlot, rows, values(PORTS.nextKey(layer)), values(PORTS.nextValue(layer)));
    }
    return Object.fromEntries(outputs.map((name) => [name, values(name)]));
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function* cacheTensors(runtime: OnnxRuntime, cache: Run["cache"]): Generator<[string, string, Tensor]> {
  const shape = [1, cache.heads, cache.capacity, cache.headSize];
  const tensor = (data: Float32Array) => new runtime.Tensor("float32", data, shape);
  for (let layer = 0; layer < cache.layers; layer++) {
    yield [PORTS.key(layer), PORTS.nextKey(layer), tensor(cache.key(layer))];
    yield [PORTS.value(layer), PORTS.nextValue(layer), tensor(cache.value(layer))];
  }
}

function toTensor(runtime: OnnxRuntime, { type, data, shape }: HostTensor): Tensor {
  return new runtime.Tensor(type, data, shape);
}
