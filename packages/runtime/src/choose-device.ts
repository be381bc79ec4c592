import { hasCode } from "@foretoken/core";
import type { Backend, DeviceName } from "./device/backend.ts";
import { openBackend } from "./device/open-backend.ts";
import { noGpuDriver } from "./device/vulkan-driver.ts";
import { isNode } from "./sources/node.ts";

/** A device, and why it was taken. */
export interface DeviceChoice {
  readonly device: DeviceName;
  readonly backend: Backend;
  /** One sentence, or one for each device that was tried before. */
  readonly reason: string;
  /** Whether users of this kind of machine expect a faster device. */
  readonly isFallback: boolean;
}

/** What choosing depends on; parameters for tests. */
export interface DeviceProbes {
  readonly open: (device: DeviceName) => Promise<Backend>;
  /** Why WebGPU is not worth trying. */
  readonly noGpu: () => Promise<string | undefined>;
  readonly isNode: boolean;
}

/**
 * Takes the device that was asked for, or the best that opens; before anything is downloaded.
 *
 * `auto` is WebGPU on a real GPU, then the native CPU where onnxruntime-node loads, then wasm.
 *
 * @throws `DecodingError` `DEVICE_UNAVAILABLE`
 */
export async function chooseDevice(
  wanted: DeviceName | "auto",
  { open, noGpu, isNode: inNode }: DeviceProbes = { open: openBackend, noGpu: noGpuDriver, isNode },
): Promise<DeviceChoice> {
  if (wanted !== "auto") {
    const backend = await open(wanted);
    return { device: wanted, backend, reason: `Device "${wanted}" was asked for.`, isFallback: false };
  }
  const refusals: string[] = [];
  const candidates: readonly DeviceName[] = inNode ? ["webgpu", "cpu", "wasm"] : ["webgpu", "wasm"];
  for (const device of candidates) {
    const last = device === "wasm";
    const reason = device === "webgpu" ? await noGpu() : undefined;
    const tried = reason ?? (last ? await open(device) : await open(device).catch(whyNot));
    const refusal = typeof tried === "string" ? tried : unfit(tried);
    if (refusal !== undefined) {
      refusals.push(`Not "${device}": ${refusal}`);
      continue;
    }
    const taken = `Device "${device}" was taken as the fastest that works.`;
    // In Node a machine without a GPU is an ordinary one.
    const isFallback = refusals.length > (inNode ? 1 : 0);
    return { device, backend: tried as Backend, reason: [taken, ...refusals].join(" "), isFallback };
  }
  throw new Error("wasm neither opened nor failed");
}

function whyNot(error: unknown): string {
  if (!hasCode(error, "DEVICE_UNAVAILABLE")) throw error;
  return error.message;
}

function unfit({ isSoftware }: Backend): string | undefined {
  return isSoftware ? "its adapter computes in software, slower than WebAssembly." : undefined;
}
