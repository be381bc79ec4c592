import type { AttentionKind } from "../graph/attention.ts";
import type { ElementType, FloatType } from "../graph/onnx-model.ts";
import type { RowStore } from "../pool/row-store.ts";
import type { ModelConfig } from "../weights/model-weights.ts";

/** Where a model runs. */
export type DeviceName = "cpu" | "wasm" | "webgpu";

/** A tensor in the memory of JavaScript, row-major. */
export interface HostTensor {
  readonly type: Exclude<ElementType, "float16">;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A graph as it is handed to a device. */
export interface LoadableGraph {
  /** The ONNX model without its weights. */
  readonly model: Uint8Array;
  /** The weights file: the folder it lies in, or its bytes. */
  readonly weights: { readonly folder: string } | { readonly bytes: Uint8Array };
  readonly largestWeight: { readonly name: string; readonly bytes: number };
}

/** One pass through a loaded graph. */
export interface Run {
  readonly feeds: Readonly<Record<string, HostTensor>>;
  /** Slot of the first row of the pass; the others follow. */
  readonly firstSlot: number;
  /** `T` */
  readonly rows: number;
  /** Rows of the cache that attention looks at, those of the pass among them. */
  readonly lookedAt: number;
  /** Names of the outputs to return. */
  readonly outputs: readonly string[];
}

/** Rows of float32 that a pass returned, maybe still on the device. The holder of the pass disposes them. */
export interface OutputRows {
  /** Values of one row. */
  readonly width: number;
  /** Whether they lie in the memory of JavaScript. */
  readonly isHost: boolean;
  /**
   * Rows `first … first + count - 1`, `[count, width]`.
   *
   * Values that lie in the memory of JavaScript come at once and are views; others take a turn of the device, which the
   * caller must have.
   */
  read(first: number, count: number): Float32Array | Promise<Float32Array>;
  dispose(): void;
}

/** A graph on a device. */
export interface Executable {
  /** Runs the graph; the outputs are the caller's. */
  run(run: Run): Promise<Readonly<Record<string, OutputRows>>>;
  release(): Promise<void>;
}

/** What a graph is loaded with. */
export interface LoadOptions {
  /** Of one operator. */
  readonly threads: number;
  /** What passes read and extend; made by this backend. */
  readonly store: RowStore;
  /** Outputs to leave on the device, where it has memory of its own. */
  readonly keep: readonly string[];
}

/** One way to run graphs; the only code that knows an ONNX Runtime package. */
export interface Backend {
  readonly device: DeviceName;
  /** Version of the ONNX Runtime package. */
  readonly version: string;
  readonly attention: AttentionKind;
  /** Whether logits stay on the device, reduced to what is mostly read of them. */
  readonly reduces: boolean;
  /** Whether the device computes in float16. */
  readonly hasFloat16: boolean;
  /** Bytes copied from the device since it was opened. */
  readonly bytesRead: number;
  /** Whether a GPU is only emulated. */
  readonly isSoftware: boolean;
  /** What computes, as far as it says: words for a file name. */
  readonly adapter?: string;
  /** The device itself, where it belongs to the page. */
  readonly gpu?: GPUDevice;
  /** Resolves with the reason when the device is gone for good. */
  readonly lost?: Promise<string>;
  /** An empty cache for a model that computes in `floatType`. */
  createStore(config: ModelConfig, floatType: FloatType): RowStore;
  /** Loads a graph. */
  load(graph: LoadableGraph, options: LoadOptions): Promise<Executable>;
}
