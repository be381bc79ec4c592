import { testModel, tinyGguf } from "@foretoken/testing";
import { loadRuntime, type RuntimeOptions } from "./load-runtime.ts";
import { bytesSource } from "./weights/byte-source.ts";
import { openGguf } from "./weights/open-gguf.ts";

const sizes = { layers: 2, contextLength: 600 };

async function tiny(options: RuntimeOptions, seed = 1) {
  return loadRuntime(await openGguf(bytesSource(tinyGguf(seed, sizes))), { dtype: "fp32", ...options });
}

testModel("on WebGPU", () => tiny({ device: "webgpu" }), { tolerance: 1e-3 });
