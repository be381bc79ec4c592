import { DecodingError } from "@foretoken/core";
import { KeyValueCache } from "../pool/key-value-cache.ts";
import { isNode, node } from "../sources/node.ts";
import type { Backend } from "./backend.ts";
import { CopyingExecutable } from "./host-executables.ts";
import { type OnnxRuntime, weightOptions } from "./onnx-runtime.ts";

/**
 * ONNX Runtime compiled to WebAssembly, in browsers and in Node.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE` when onnxruntime-web cannot be loaded.
 */
export async function openWasm(): Promise<Backend> {
  // In Node the package's main entry finds its files on disk; the others fetch them, which Node cannot.
  const imported = isNode ? import("onnxruntime-web") : import("onnxruntime-web/wasm");
  const module = await imported.catch((cause: unknown) => {
    throw new DecodingError("DEVICE_UNAVAILABLE", {
      message: `Device "wasm" needs the package onnxruntime-web, which cannot be loaded: ${String(cause)}.`,
      fix: 'Run "npm install onnxruntime-web".',
      cause,
    });
  });
  const { env, InferenceSession, Tensor } = module;
  const runtime = { InferenceSession, Tensor } as unknown as OnnxRuntime;
  return {
    device: "wasm",
    version: env.versions.web ?? env.versions.common,
    attention: "appended",
    reduces: false,
    hasFloat16: false,
    isSoftware: false,
    bytesRead: 0,
    createStore: (config) => new KeyValueCache(config),
    async load(graph, { threads, store }) {
      // The number of threads is fixed when the module starts; later models take what is there.
      if (!env.wasm.numThreads) env.wasm.numThreads = threads;
      env.logLevel = "error";
      const bytes = "bytes" in graph.weights ? graph.weights.bytes : await readWeights(graph.weights.folder);
      const session = await runtime.InferenceSession.create(graph.model, {
        ...weightOptions({ ...graph, weights: { bytes } }),
        executionProviders: ["wasm"],
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
      });
      return new CopyingExecutable(runtime, session, store as KeyValueCache);
    },
  };
}

async function readWeights(folder: string): Promise<Uint8Array> {
  const { WEIGHTS_FILE } = await import("../graph/weights-file.ts");
  return node.fs.readFile(`${folder}/${WEIGHTS_FILE}`);
}
