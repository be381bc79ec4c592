import { DecodingError } from "@foretoken/core";
import { KeyValueCache } from "../pool/key-value-cache.ts";
import type { Backend } from "./backend.ts";
import { InPlaceExecutable } from "./host-executables.ts";
import { type OnnxRuntime, weightOptions } from "./onnx-runtime.ts";

/**
 * ONNX Runtime's native CPU provider in Node.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE` when onnxruntime-node is not installed or has no build for this machine.
 */
export async function openCpu(): Promise<Backend> {
  const module = await import("onnxruntime-node").catch((cause: unknown) => {
    throw new DecodingError("DEVICE_UNAVAILABLE", {
      message: `Device "cpu" needs the package onnxruntime-node, which cannot be loaded: ${
        cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
      }.`,
      fix: 'Run "npm install onnxruntime-node", or use device "wasm".',
      cause,
    });
  });
  const { env, InferenceSession, Tensor } = module.default ?? module;
  const runtime = { InferenceSession, Tensor } as unknown as OnnxRuntime;
  return {
    device: "cpu",
    version: env.versions.node ?? env.versions.common,
    attention: "in-place",
    reduces: false,
    hasFloat16: false,
    bytesRead: 0,
    createStore: (config) => new KeyValueCache(config),
    async load(graph, { threads, store }) {
      const { extra, ...weights } = weightOptions(graph);
      const session = await runtime.InferenceSession.create(graph.model, {
        ...weights,
        executionProviders: ["cpu"],
        // A stated number of threads also keeps ONNX Runtime from pinning them and warning where that is forbidden.
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: "sequential",
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
        extra: { session: { ...(extra?.session as object), set_denormal_as_zero: "1" } },
      });
      return new InPlaceExecutable(runtime, session, store as KeyValueCache);
    },
  };
}
