import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

/** The package of trained parts: a folder for each, of a manifest and the files that it names. */
const PACKAGE = fileURLToPath(new URL("../../../packages/smollm2-heads/", import.meta.url));
/** A part's file; no path leads out of its folder. */
const FILE = /^smollm2-[a-z-]+\/[\w.-]+$/;

/**
 * Lays the trained parts of `@foretoken/smollm2-heads` into a folder `heads` beside the model worker, which loads those that a decoder
 * names: as they are beside its built script, and in development beside its source.
 */
export function serveHeads(): Plugin {
  return {
    name: "foretoken:serve-heads",
    configureServer: (server) =>
      void server.middlewares.use("/src/heads", (request, response, next) => {
        respond(request, response).catch(next);
      }),
    async generateBundle() {
      for (const file of await partFiles()) {
        const source = await readFile(join(PACKAGE, file));
        this.emitFile({ type: "asset", fileName: `assets/heads/${file}`, source });
      }
    },
  };
}

async function partFiles(): Promise<readonly string[]> {
  const files = await readdir(PACKAGE, { recursive: true });
  return files.map((file) => file.replaceAll("\\", "/")).filter((file) => FILE.test(file));
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = decodeURIComponent(new URL(request.url ?? "/", "http://local").pathname.slice(1));
  if (!(await partFiles()).includes(file)) {
    response.writeHead(404, { "Content-Type": "text/plain" }).end(`This server has no head "${file}".`);
    return;
  }
  response.writeHead(200, { "Content-Type": "application/octet-stream" });
  createReadStream(join(PACKAGE, file)).pipe(response);
}
