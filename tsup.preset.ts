import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

/** What `package.json` publishes is what is built: `./dist/name.js` from `src/name.ts`. */
const { exports = {}, bin = {} } = JSON.parse(readFileSync("package.json", "utf8"));
const published = [
  ...Object.values<{ import: string }>(exports).map((target) => target.import),
  ...Object.values<string>(bin),
];

/** One preset for every package: ESM for Node 20 and browsers, with types. */
export default defineConfig({
  entry: published.map((file) => file.replace("./dist/", "src/").replace(/\.js$/, ".ts")),
  format: "esm",
  target: "es2022",
  platform: "neutral",
  dts: { compilerOptions: { ignoreDeprecations: "6.0", paths: {} } },
  sourcemap: true,
  clean: true,
  splitting: true,
  external: [/^node:/],
});
