import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

/** Tests read the sources of every workspace package, so no build has to run before them. */
const root = fileURLToPath(new URL(".", import.meta.url));
const alias = ["packages", "plugins"].flatMap((folder) =>
  readdirSync(`${root}${folder}`)
    .filter((name) => existsSync(`${root}${folder}/${name}/package.json`))
    .flatMap((name) => {
      const { name: find } = JSON.parse(readFileSync(`${root}${folder}/${name}/package.json`, "utf8"));
      const source = `${root}${folder}/${name}/src`;
      return [
        { find: new RegExp(`^${find}$`), replacement: `${source}/index.ts` },
        { find: new RegExp(`^${find}/(.+)$`), replacement: `${source}/$1.ts` },
      ];
    }),
);

/** Debian's package; it has a WebGPU adapter that computes in software. */
const executablePath = process.env.FORETOKEN_CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(executablePath)) {
  console.error(
    `Browser tests will fail: there is no ${executablePath}. Install Debian's package "chromium", name another browser of ` +
      "its family in FORETOKEN_CHROMIUM, or run the others alone: npx vitest run --project node",
  );
}
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "node",
          include: ["{packages,plugins}/*/src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/*.browser.test.ts"],
          testTimeout: 30_000,
          maxWorkers: 2,
        },
      },
      {
        resolve: { alias },
        server: { headers: isolated, fs: { allow: [root, `${root}../shared`] } },
        optimizeDeps: { exclude: ["onnxruntime-web"] },
        test: {
          name: "browser",
          provide: {
            shared: fileURLToPath(new URL(process.env.FORETOKEN_SHARED ?? "../shared", import.meta.url)),
          },
          include: ["{packages,plugins}/*/src/**/*.browser.test.ts", "test/**/*.browser.test.ts"],
          testTimeout: 60_000,
          // Behind the others: projects that run together must have the same number of workers.
          sequence: { groupOrder: 1 },
          // One page for all files: shaders are compiled once for a device, and that takes seconds.
          isolate: false,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                executablePath,
                args: [
                  "--no-sandbox",
                  // Memory of a GPU is given back when its handles are collected: tests of it must be able to ask for that.
                  "--js-flags=--expose-gc",
                  "--enable-unsafe-webgpu",
                  "--disable-quic",
                  "--no-first-run",
                  "--disable-background-networking",
                  "--disable-component-update",
                  "--disable-sync",
                ],
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
