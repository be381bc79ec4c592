import type { Backend, LoadableGraph } from "./backend.ts";
import type { OnnxRuntime } from "./onnx-runtime.ts";
import { openWebGpu, unavailable } from "./webgpu-backend.ts";

let opened: Promise<Backend> | undefined;

/**
 * ONNX Runtime's WebGPU provider in a browser. One device per page (or worker): all models share it, and after it was
 * lost the next call opens another.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE`
 */
export function openWebGpuInBrowser(): Promise<Backend> {
  if (!opened) {
    const opening = openWebGpuOn(navigator.gpu);
    const forget = () => {
      if (opened === opening) opened = undefined;
    };
    opening.then(({ lost }) => lost?.then(forget), forget);
    opened = opening;
  }
  return opened;
}

/** The same on a `navigator.gpu` that may be missing, without sharing. */
export async function openWebGpuOn(gpu: GPU | undefined): Promise<Backend> {
  if (!gpu) {
    const isSecure = globalThis.isSecureContext;
    throw unavailable(
      isSecure
        ? "this browser has no WebGPU (navigator.gpu is missing)."
        : "WebGPU is offered to secure contexts only, and this page is not one: serve it over https or from localhost.",
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter)
    throw unavailable("this browser has WebGPU, but found no adapter (requestAdapter gave null).");
  const device = await adapter.requestDevice(wishes(adapter)).catch((cause: unknown) => {
    throw unavailable(`the adapter gave no device: ${String(cause)}.`, cause);
  });
  const { env, InferenceSession, Tensor } = await import("onnxruntime-web/webgpu").catch((cause: unknown) => {
    throw unavailable(`the package onnxruntime-web cannot be loaded: ${String(cause)}.`, cause);
  });
  env.logLevel = "error";
  if (comesFromNetwork(env.wasm.wasmPaths)) env.wasm.wasmPaths = undefined;
  return openWebGpu({
    runtime: { InferenceSession, Tensor } as unknown as OnnxRuntime,
    version: env.versions.web ?? env.versions.common,
    hasFloat16: device.features.has("shader-f16"),
    isSoftware: isSoftware(adapter),
    bindsOutputs: true,
    executionProvider: { name: "webgpu", device },
    adapter: [adapter.info.vendor, adapter.info.architecture].filter((word) => word !== "").join("-"),
    gpu: device,
    lost: device.lost.then(({ message, reason }) => `${message || reason}.`),
    refuses: (graph) => exceeded(graph, device.limits),
  });
}

/**
 * Whether ONNX Runtime was pointed at a public copy of its own files. The tokenizer's package does that when it is
 * imported; unset, the files come from where the app's own script comes from, which also works offline.
 */
function comesFromNetwork(paths: unknown): boolean {
  const { wasm } = (paths ?? {}) as { wasm?: unknown };
  return /\/npm\/onnxruntime-web@[^/]+\/dist\//.test(String(wasm));
}

function isSoftware({ info }: GPUAdapter): boolean {
  return info.isFallbackAdapter || info.architecture === "swiftshader";
}

/** What we ask of an adapter: what it has of the features that make kernels faster, and its own limits. */
function wishes(adapter: GPUAdapter): GPUDeviceDescriptor {
  const wanted: GPUFeatureName[] = ["shader-f16", "timestamp-query"];
  // Fused attention is wrong from 32 rows on where subgroups are emulated in software.
  if (!isSoftware(adapter)) wanted.push("subgroups");
  const { limits } = adapter;
  return {
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
      maxComputeWorkgroupSizeZ: limits.maxComputeWorkgroupSizeZ,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    },
  };
}

/** Why a graph does not fit a device: its largest weight is one binding of one buffer. */
function exceeded({ largestWeight }: LoadableGraph, limits: GPUSupportedLimits): string | undefined {
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  if (largestWeight.bytes <= most) return undefined;
  return (
    `weight ${largestWeight.name} needs a buffer of ${largestWeight.bytes} bytes, ` +
    `the adapter allows ${most} (maxStorageBufferBindingSize, maxBufferSize); try a smaller dtype.`
  );
}
