import { defineConfig } from "vite";
import { onnxRuntimeFiles } from "./vite/onnx-runtime-files.ts";
import { serveHeads } from "./vite/serve-heads.ts";
import { serveModels } from "./vite/serve-models.ts";

/** Makes the page cross-origin isolated: without it WebAssembly has one thread. */
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  base: "./",
  plugins: [onnxRuntimeFiles(), serveHeads(), serveModels()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022" },
  worker: { format: "es" },
  // Pre-bundling would tear its script from the .wasm files beside it.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  server: { headers: isolated },
  preview: { headers: isolated },
});
