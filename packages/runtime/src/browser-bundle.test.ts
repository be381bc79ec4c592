import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Bundles as an application for browsers does; ONNX Runtime brings its own files. */
async function bundle(contents: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: here, loader: "ts" },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    outdir: "out",
    write: false,
    metafile: true,
    logLevel: "silent",
    external: ["onnxruntime-web", "onnxruntime-web/*"],
    alias: { "@foretoken/core": `${here}../../core/src/index.ts` },
  });
  const imports = Object.values(metafile.outputs).flatMap((output) =>
    output.imports.filter(({ external }) => external).map(({ path }) => path),
  );
  const entry = outputFiles.find(({ path }) => path.endsWith("stdin.js"))!;
  return { imports: [...new Set(imports)].sort(), gzipBytes: gzipSync(entry.contents).length };
}

test.each(["index", "worker"])("%s bundles for browsers, with nothing of Node in it", async (entry) => {
  const { imports } = await bundle(`export * from "./${entry}.ts";`);
  expect(imports).toEqual(["onnxruntime-web", "onnxruntime-web/wasm", "onnxruntime-web/webgpu"]);
});

test("the client of a worker brings neither tokenizer nor graph writer into the page", async () => {
  const { gzipBytes } = await bundle('export { createWorkerModel } from "./worker.ts";');
  expect(gzipBytes).toBeLessThan(3_000);
});
