import { readFile } from "node:fs/promises";
import { defaultClientConditions, type Plugin } from "vite";

/** What ONNX Runtime loads while it starts: for wasm, and for WebGPU. */
const FILES = ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"].flatMap((name) => [
  `${name}.mjs`,
  `${name}.wasm`,
]);

/**
 * Lays ONNX Runtime's own files beside the scripts of the build, as they are.
 *
 * It starts threads from the script it is in. Bundled, that script imports others, or others import it for what they
 * share, and which of both changes with the bundler's mind; each thread would then start the application's worker, and
 * creating a session would never end. With the condition `onnxruntime-web-use-extern-wasm` the bundle holds only what no
 * thread needs, and looks for these files where it lies itself.
 */
export function onnxRuntimeFiles(): Plugin {
  return {
    name: "foretoken:onnx-runtime-files",
    apply: "build",
    config: () => ({
      resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions] },
    }),
    async generateBundle() {
      const runtime = await this.resolve("@foretoken/runtime");
      for (const file of FILES) {
        const found = await this.resolve(`onnxruntime-web/${file}`, runtime?.id);
        if (!found) return this.error(`onnxruntime-web has no file ${file}: is it installed?`);
        this.emitFile({ type: "asset", fileName: `assets/${file}`, source: await readFile(found.id) });
      }
    },
  };
}
