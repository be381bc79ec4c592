import type { ElementType } from "../graph/onnx-model.ts";
import type { KeyValueCache } from "../pool/key-value-cache.ts";

/** Where a model runs. */
export type DeviceName = "cpu" | "wasm";

/** A tensor in the memory of JavaScript, row-major. */
export interface HostTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A graph as it is handed to a device. */
export interface LoadableGraph {
  /** The ONNX model without its weights. */
  readonly model: Uint8Array;
  /** The weights file: the folder it lies in, or its bytes. */
  readonly weights: { readonly folder: string } | { readonly bytes: Uint8Array };
}

/** One pass through a loaded graph. */
export interface Run {
  readonly feeds: Readonly<Record<string, HostTensor>>;
  /** Read, and extended by the rows of the pass. */
  readonly cache: KeyValueCache;
  /** Rows of the cache that the graph takes in. */
  readonly cachedRows: number;
  /** Slot of the first row of the pass; the others follow. */
  readonly firstSlot: number;
  /** `T` */
  readonly rows: number;
  /** Names of the outputs to return. */
  readonly outputs: readonly string[];
}

/** A graph on a device. */
export interface Executable {
  /** Runs the graph; the outputs are the caller's. */
  run(run: Run): Promise<Readonly<Record<string, Float32Array>>>;
  release(): Promise<void>;
}

/** One way to run graphs; the only code that knows an ONNX Runtime package. */
export interface Backend {
  readonly device: DeviceName;
  /** Version of the ONNX Runtime package. */
  readonly version: string;
  /** Whether the rows of a pass get into the cache while it runs; else the graph has to append them itself. */
  readonly writesCacheInPlace: boolean;
  /** Loads a graph; `threads` are those of one operator. */
  load(graph: LoadableGraph, options: { readonly threads: number }): Promise<Executable>;
}
