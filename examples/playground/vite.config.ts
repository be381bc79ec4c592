import { defineConfig } from "vite";
import { serveModels } from "./server/serve-models.ts";

/** Makes the page cross-origin isolated: without it WebAssembly has one thread. */
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** ONNX Runtime starts threads from its own script, so that script has to be a file that holds nothing else. */
const ownChunk = {
  output: {
    codeSplitting: {
      groups: [{ name: "onnxruntime", test: /node_modules[\\/]onnxruntime-(web|common)[\\/]/ }],
    },
  },
};

export default defineConfig({
  base: "./",
  plugins: [serveModels()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022" },
  worker: { format: "es", rolldownOptions: ownChunk },
  // Pre-bundling would tear its script from the .wasm files beside it.
  optimizeDeps: { exclude: ["onnxruntime-web"] },
  server: { headers: isolated },
  preview: { headers: isolated },
});
