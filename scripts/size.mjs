/** Bundles core and every plugin as an application would and compares their gzip sizes with the limits. */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const CORE_LIMIT = 15_000;
const PLUGIN_LIMIT = 5_000;
// Counted where they are made, or by their own makers.
const shared = ["@foretoken/core", "@foretoken/drafting", "zod", "eventemitter3", "node:*"];

const measured = [
  { folder: "packages/core", limit: CORE_LIMIT },
  ...readdirSync("plugins").map((name) => ({ folder: `plugins/${name}`, limit: PLUGIN_LIMIT })),
];
let tooLarge = 0;
for (const { folder, limit } of measured) {
  const { name } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const { outputFiles } = await build({
    entryPoints: [`${folder}/src/index.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    external: shared.filter((dependency) => dependency !== name),
  });
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  const isTooLarge = bytes > limit;
  tooLarge += isTooLarge ? 1 : 0;
  console.log(
    `${name}: ${(bytes / 1000).toFixed(1)} kB of ${limit / 1000} kB gzip${isTooLarge ? ", too large" : ""}`,
  );
}
process.exitCode = tooLarge === 0 ? 0 : 1;
