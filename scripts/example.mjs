/** Runs an example against the built packages: `npm run example basic`. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const name = process.argv[2]?.replace(/\.ts$/, "");
if (name === undefined || !existsSync(`examples/${name}.ts`)) {
  const names = readdirSync("examples").filter((file) => file.endsWith(".ts"));
  console.error(`Say which example: ${names.map((file) => file.replace(".ts", "")).join(", ")}.`);
  process.exit(2);
}
execFileSync("npx", ["turbo", "run", "build", "--concurrency=2", "--output-logs=errors-only"], {
  stdio: ["ignore", "ignore", "inherit"],
});
const outfile = `examples/.cache/${name}.mjs`;
await build({
  entryPoints: [`examples/${name}.ts`],
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  outfile,
});
await import(pathToFileURL(outfile).href);
