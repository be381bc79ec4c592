import { KeyValueCache } from "../pool/key-value-cache.ts";
import type { Backend } from "./backend.ts";
import { InPlaceExecutable } from "./host-executables.ts";
import { weightOptions } from "./onnx-runtime.ts";
import { importOnnxRuntimeNode } from "./onnx-runtime-node.ts";

/**
 * ONNX Runtime's native CPU provider in Node.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE`
 */
export async function openCpu(): Promise<Backend> {
  const { runtime, version } = await importOnnxRuntimeNode("cpu");
  return {
    device: "cpu",
    version,
    attention: "in-place",
    reduces: false,
    hasFloat16: false,
    isSoftware: false,
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
