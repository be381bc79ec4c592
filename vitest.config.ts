import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Tests read the sources of every workspace package, so no build has to run before them. */
const root = fileURLToPath(new URL(".", import.meta.url));
const alias = ["packages", "plugins"].flatMap((folder) =>
  readdirSync(`${root}${folder}`).flatMap((name) => {
    const { name: find } = JSON.parse(readFileSync(`${root}${folder}/${name}/package.json`, "utf8"));
    const source = `${root}${folder}/${name}/src`;
    return [
      { find: new RegExp(`^${find}$`), replacement: `${source}/index.ts` },
      { find: new RegExp(`^${find}/(.+)$`), replacement: `${source}/$1.ts` },
    ];
  }),
);

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["{packages,plugins}/*/src/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 30_000,
    maxWorkers: 2,
  },
});
