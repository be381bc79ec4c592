import { createRequire } from "node:module";
import type { Backend } from "../device/backend.ts";
import type { OnnxRuntime } from "../device/onnx-runtime.ts";
import { openWebGpu } from "../device/webgpu-backend.ts";

/**
 * The backend of WebGPU with its graphs on the native CPU provider: no adapter in reach computes in float16, but that the
 * graphs are sound in it, and close to float32, shows here too.
 */
export function fusedOnCpu(hasFloat16: boolean): Backend {
  const { InferenceSession, Tensor } = createRequire(import.meta.url)("onnxruntime-node");
  const runtime: OnnxRuntime = {
    InferenceSession: {
      create: (model, { externalData } = {}) =>
        InferenceSession.create(model, { externalData, executionProviders: ["cpu"], logSeverityLevel: 3 }),
    },
    Tensor,
  };
  const executionProvider = { name: "cpu" } as const;
  return openWebGpu({
    runtime,
    version: "test",
    hasFloat16,
    isSoftware: false,
    bindsOutputs: false,
    executionProvider,
  });
}
