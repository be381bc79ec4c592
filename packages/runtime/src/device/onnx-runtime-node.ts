import { DecodingError } from "@foretoken/core";
import type { OnnxRuntime } from "./onnx-runtime.ts";

/**
 * ONNX Runtime's native package for Node, which is an optional peer.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE` when it is not installed or has no build for this machine.
 */
export async function importOnnxRuntimeNode(
  device: "cpu" | "webgpu",
): Promise<{ readonly runtime: OnnxRuntime; readonly version: string }> {
  const module = await import("onnxruntime-node").catch((cause: unknown) => {
    throw new DecodingError("DEVICE_UNAVAILABLE", {
      message: `Device "${device}" needs the package onnxruntime-node, which cannot be loaded: ${
        cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
      }.`,
      fix: 'Run "npm install onnxruntime-node", or use device "wasm".',
      cause,
    });
  });
  const { env, InferenceSession, Tensor } = module.default ?? module;
  return {
    runtime: { InferenceSession, Tensor } as unknown as OnnxRuntime,
    version: env.versions.node ?? env.versions.common,
  };
}
