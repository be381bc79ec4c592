import { DecodingError } from "@foretoken/core";
import { isNode, node } from "../sources/node.ts";
import type { Backend, DeviceName } from "./backend.ts";

/** Opens a device; each one's package is imported only when it is asked for. */
export async function openBackend(device: DeviceName): Promise<Backend> {
  switch (device) {
    case "cpu":
      return (await import("./cpu-backend.ts")).openCpu();
    case "wasm":
      return (await import("./wasm-backend.ts")).openWasm();
    case "webgpu":
      return isNode
        ? (await import("./webgpu-in-node.ts")).openWebGpuInNode()
        : (await import("./webgpu-in-browser.ts")).openWebGpuInBrowser();
    default:
      throw new DecodingError("DEVICE_UNAVAILABLE", {
        message: `There is no device "${String(device)}".`,
        fix: 'Use "webgpu", "cpu" (in Node) or "wasm".',
      });
  }
}

/** Threads for one operator: the CPUs this process may really use; in a browser one, unless the page is cross-origin isolated. */
export async function usableThreads(): Promise<number> {
  if (!isNode) return globalThis.crossOriginIsolated ? navigator.hardwareConcurrency || 1 : 1;
  return node.os.availableParallelism();
}
