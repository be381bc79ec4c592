import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Plugin } from "vite";

/**
 * Serves the GGUF files of a folder under `/models/`, and their list at `/models/` itself, in development and preview.
 *
 * @param folder - Default `FORETOKEN_MODELS`, else where Foretoken's command line keeps what it fetched.
 */
export function serveModels(folder?: string): Plugin {
  const answer = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => {
    respond(request, response, folder).catch(next);
  };
  return {
    name: "foretoken:serve-models",
    configureServer: (server) => void server.middlewares.use("/models", answer),
    configurePreviewServer: (server) => void server.middlewares.use("/models", answer),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  given: string | undefined,
): Promise<void> {
  const folder = given ?? process.env.FORETOKEN_MODELS ?? (await fetchedModels());
  const name = decodeURIComponent(new URL(request.url ?? "/", "http://local").pathname.slice(1));
  const names = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith(".gguf"));
  if (name === "") return sendList(response, folder, names);
  // Only names of the list: no path leads out of the folder.
  if (names.includes(name)) return sendFile(request, response, join(folder, name));
  response.writeHead(404, { "Content-Type": "text/plain" }).end(`This server has no model "${name}".`);
}

async function sendList(response: ServerResponse, folder: string, names: readonly string[]): Promise<void> {
  const models = await Promise.all(
    names.map(async (name) => ({
      name: name.replace(/\.gguf$/, ""),
      address: `models/${encodeURIComponent(name)}`,
      bytes: (await stat(join(folder, name))).size,
    })),
  );
  response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(models));
}

/** Sends a file, or the one range of it that was asked for, so that an interrupted download can go on. */
async function sendFile(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const { size, mtimeMs } = await stat(path);
  const tag = `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`;
  const range = request.headers["if-range"] === undefined || request.headers["if-range"] === tag;
  const [, from, to] = (range && /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "")) || [];
  const headers = { "Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", ETag: tag };
  const start = Number(from ?? 0);
  const end = Math.min(to ? Number(to) : size - 1, size - 1);
  if (start > end) {
    response.writeHead(416, { ...headers, "Content-Range": `bytes */${size}` }).end();
    return;
  }
  response.writeHead(from === undefined ? 200 : 206, {
    ...headers,
    "Content-Length": end - start + 1,
    ...(from === undefined ? {} : { "Content-Range": `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === "HEAD") response.end();
  else createReadStream(path, { start, end }).pipe(response);
}

async function fetchedModels(): Promise<string> {
  const { cacheFolder } = await import("@foretoken/runtime");
  return join(cacheFolder(), "models");
}
