import { DecodingError } from "@foretoken/core";
import type { InferenceSession, Tensor } from "onnxruntime-web";
import type { FloatType } from "../graph/onnx-model.ts";
import { arrangingGraph, choosingGraph, ROW_PORTS } from "../graph/row-graphs.ts";
import type { ModelConfig } from "../weights/model-weights.ts";
import type { Backend, LoadableGraph } from "./backend.ts";
import { arrangeWith, DeviceRows, presentNames } from "./device-rows.ts";
import { type OnnxRuntime, weightOptions } from "./onnx-runtime.ts";
import { type DeviceHost, WebGpuExecutable } from "./webgpu-executable.ts";

/** One of ONNX Runtime's packages with its WebGPU provider, on a device that is open. */
export interface WebGpuProvider {
  readonly runtime: OnnxRuntime;
  readonly version: string;
  readonly hasFloat16: boolean;
  /** See {@link DeviceHost.bindsOutputs}. */
  readonly bindsOutputs: boolean;
  readonly executionProvider: InferenceSession.ExecutionProviderConfig;
  readonly isSoftware: boolean;
  readonly adapter?: string;
  readonly gpu?: GPUDevice;
  /** Resolves with the reason when the device is gone for good. */
  readonly lost?: Promise<string>;
  /** What loading a graph on this device would exceed, as a sentence. */
  refuses?(graph: LoadableGraph): string | undefined;
}

/**
 * ONNX Runtime's WebGPU provider. Memory of the device is reached through ONNX Runtime alone, with small graphs that
 * move and pick rows, because in Node there is no other way.
 */
export function openWebGpu(provider: WebGpuProvider): Backend {
  const { runtime, version, hasFloat16, isSoftware, executionProvider, adapter, gpu, lost } = provider;
  let bytesRead = 0;
  const loss: { reason?: string } = {};
  const whenLost = lost?.then((reason) => {
    loss.reason = reason;
    throw deviceLost(reason);
  });
  // Nobody may be waiting when it happens.
  whenLost?.catch(() => undefined);
  const orLost = async <T>(begin: () => Promise<T>): Promise<T> => {
    // ONNX Runtime must not be called any more then: it waits for the device without ever giving the page a turn.
    if (loss.reason !== undefined) throw deviceLost(loss.reason);
    const work = begin();
    if (!whenLost) return work;
    work.catch(() => undefined);
    return Promise.race([work, whenLost]).catch((error) => {
      // What fails on a device that is going fails because of that.
      throw loss.reason === undefined ? error : deviceLost(loss.reason);
    });
  };
  const create = (model: Uint8Array, options: InferenceSession.SessionOptions = {}) =>
    orLost(() =>
      runtime.InferenceSession.create(model, {
        ...options,
        executionProviders: [executionProvider],
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
        // A node without a kernel on the device would carry its tensors back and forth, in silence.
        extra: { session: { ...(options.extra?.session as object), disable_cpu_ep_fallback: "1" } },
      }),
    );
  const chooser = once(() => create(choosingGraph(), { preferredOutputLocation: "cpu" }));
  const host: DeviceHost = {
    runtime,
    bindsOutputs: provider.bindsOutputs,
    orLost,
    countRead: (bytes) => {
      bytesRead += bytes;
    },
    async readRows(values, first, count) {
      const order = BigInt64Array.from({ length: count }, (_, row) => BigInt(first + row));
      const session = await chooser();
      const feeds = { [ROW_PORTS.values]: values, [ROW_PORTS.order]: rowsTensor(runtime, order) };
      const chosen = (await session.run(feeds))[ROW_PORTS.chosen].data as Float32Array;
      bytesRead += chosen.byteLength;
      return chosen;
    },
  };
  return {
    device: "webgpu",
    version,
    attention: "fused",
    reduces: true,
    hasFloat16,
    get bytesRead() {
      return bytesRead;
    },
    isSoftware,
    adapter,
    gpu,
    lost,
    createStore: (config, floatType) => createRows(config, floatType, runtime, create),
    async load(graph, { store, keep }) {
      const refusal = provider.refuses?.(graph);
      if (refusal !== undefined) throw unavailable(refusal);
      const names = [...keep, ...presentNames((store as DeviceRows).layers)];
      const session = await create(graph.model, {
        ...weightOptions(graph),
        preferredOutputLocation: Object.fromEntries(names.map((name) => [name, "gpu-buffer"])),
      });
      return new WebGpuExecutable(host, session, store as DeviceRows);
    },
  };
}

function createRows(
  config: ModelConfig,
  floatType: FloatType,
  runtime: OnnxRuntime,
  create: (model: Uint8Array, options?: InferenceSession.SessionOptions) => Promise<InferenceSession>,
): DeviceRows {
  const { layers, keyValueHeads, headSize } = config;
  const session = (from: "cache" | "zeros") =>
    once(() => create(arrangingGraph(config, floatType, from), { preferredOutputLocation: "gpu-buffer" }));
  return new DeviceRows({
    layers,
    rowBytes: keyValueHeads * headSize * (floatType === "float16" ? 2 : 4),
    arrange: arrangeWith(layers, (order) => rowsTensor(runtime, order), {
      fromZeros: session("zeros"),
      fromCache: session("cache"),
    }),
  });
}

function rowsTensor({ Tensor }: OnnxRuntime, order: BigInt64Array): Tensor {
  return new Tensor("int64", order, [order.length]);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** What everybody gets who has work on a device that is gone. */
function deviceLost(reason: string): DecodingError {
  return new DecodingError("DEVICE_LOST", {
    message: `The WebGPU device is gone: ${reason}`,
    fix: "Dispose the model and load it again; the text of a session can be fed again.",
  });
}

/** What loading gets that this device cannot do. */
export function unavailable(reason: string, cause?: unknown): DecodingError {
  return new DecodingError("DEVICE_UNAVAILABLE", {
    message: `Device "webgpu" cannot be used: ${reason}`,
    fix: 'Use device "wasm" in a browser or "cpu" in Node, or let "auto" choose.',
    cause,
  });
}
