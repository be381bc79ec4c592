import type { FloatType } from "../graph/onnx-model.ts";
import { PROBE_PORTS, probeGraph } from "../graph/probe-graph.ts";
import type { Backend } from "./backend.ts";
import { importOnnxRuntimeNode } from "./onnx-runtime-node.ts";
import { openWebGpu, unavailable } from "./webgpu-backend.ts";

let opened: Promise<Backend> | undefined;

/**
 * The WebGPU provider inside onnxruntime-node, on the Vulkan, Metal or Direct3D device that it finds: one for the whole
 * process. It says nothing about that device, so float16 is found out by trying.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE`
 */
export function openWebGpuInNode(): Promise<Backend> {
  opened ??= open();
  return opened;
}

async function open(): Promise<Backend> {
  const { runtime, version } = await importOnnxRuntimeNode("webgpu");
  const executionProvider = { name: "webgpu" } as const;
  const computesIn = async (floatType: FloatType) => {
    const session = await runtime.InferenceSession.create(probeGraph(floatType), {
      executionProviders: [executionProvider],
      logSeverityLevel: 4,
    });
    try {
      await session.run({ [PROBE_PORTS.input]: new runtime.Tensor("float32", Float32Array.of(1), [1]) });
    } finally {
      await session.release();
    }
  };
  await computesIn("float32").catch((cause: unknown) => {
    throw unavailable(
      `onnxruntime-node found no adapter; is there a driver for Vulkan? ${adapterFault(cause)}`,
      cause,
    );
  });
  const hasFloat16 = await computesIn("float16").then(
    () => true,
    () => false,
  );
  return openWebGpu({
    runtime,
    version,
    hasFloat16,
    isSoftware: false,
    bindsOutputs: false,
    executionProvider,
  });
}

/** The last sentence of what ONNX Runtime says, without the place in its sources. */
function adapterFault(cause: unknown): string {
  const [line] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
  return line.replace(/^.*was false\. /, "");
}
