import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tinyGguf } from "@foretoken/testing";
import { build, preview } from "vite";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const root = join(repository, "examples/playground");

/** Screenshots are left here to be looked at. */
export const pictures = join(repository, ".test-build/playground");

/** Sources of our own packages in place of what they publish, so that no build has to run before. */
const alias = ["packages", "plugins"].flatMap((folder) =>
  readdirSync(join(repository, folder))
    .filter((name) => existsSync(join(repository, folder, name, "package.json")))
    .flatMap((name) => {
      const { name: find } = JSON.parse(readFileSync(join(repository, folder, name, "package.json"), "utf8"));
      const source = join(repository, folder, name, "src");
      return [
        { find: new RegExp(`^${find}$`), replacement: `${source}/index.ts` },
        { find: new RegExp(`^${find}/(.+)$`), replacement: `${source}/$1.ts` },
      ];
    }),
);

/** The built playground on a server of its own. */
export interface ServedPlayground {
  readonly address: string;
  /** A tiny model, which the server has as `tiny`, as a file on disk. */
  readonly modelFile: string;
  /** Folder of the built files. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Builds the playground as `npm run build` does, and serves it as `npm run preview` does. */
export async function servePlayground(): Promise<ServedPlayground> {
  const work = await mkdtemp(join(tmpdir(), "playground-"));
  const folder = join(work, "dist");
  const models = join(work, "models");
  const modelFile = join(models, "tiny.gguf");
  await mkdir(models);
  await mkdir(pictures, { recursive: true });
  // Long enough that an answer without a limit is still being written when a busy machine gets to stopping it.
  await writeFile(modelFile, tinyGguf(7, { contextLength: 8192 }));
  process.env.FORETOKEN_MODELS = models;
  const common = { root, resolve: { alias }, logLevel: "error" } as const;
  await build({ ...common, build: { outDir: folder } });
  const server = await preview({ ...common, build: { outDir: folder }, preview: { port: 0 } });
  return {
    address: server.resolvedUrls!.local[0]!,
    modelFile,
    folder,
    async close() {
      await server.close();
      await rm(work, { recursive: true });
    },
  };
}
