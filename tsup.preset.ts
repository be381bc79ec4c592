import { existsSync } from "node:fs";
import { defineConfig } from "tsup";

/** One preset for every package: ESM for Node 20 and browsers, with types. */
export default defineConfig({
  entry: ["src/index.ts", "src/main.ts"].filter((file) => existsSync(file)),
  format: "esm",
  target: "es2022",
  platform: "neutral",
  dts: { compilerOptions: { ignoreDeprecations: "6.0", paths: {} } },
  sourcemap: true,
  clean: true,
  splitting: true,
  external: [/^node:/],
});
