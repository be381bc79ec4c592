import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { shared } from "../../../../test/shared.ts";
import { loadModel } from "../load-model.ts";
import { isAddress } from "./open-address.ts";

let cache: string;
let server: Server;
let base: string;
let requests: string[];
const files = new Map<string, Buffer>();

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "foretoken-address-"));
  requests = [];
  files.set("/tiny.gguf", await readFile(shared("fixtures/gguf/llama-small-F16.gguf")));
  server = createServer(({ url = "", method }, response) => {
    requests.push(`${method} ${url}`);
    const bytes = files.get(url);
    if (bytes === undefined) return response.writeHead(404).end();
    response.writeHead(200, { "content-length": bytes.length, etag: '"one"' }).end(bytes);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.close();
  await rm(cache, { recursive: true, force: true });
});

async function load(path: string, offline = false): Promise<string> {
  const options = { cache, offline, device: "cpu", dtype: "fp32", threads: 1 } as const;
  const model = await loadModel(`${base}${path}`, options);
  await model.dispose();
  return model.id;
}

test.each([
  ["https://example.org/a.gguf", true, true],
  ["blob:https://example.org/3f", true, true],
  ["./a.gguf", true, false],
  ["./a.gguf", false, true],
  ["a.gguf", false, true],
  ["/models/a", false, true],
  ["smollm2-135m-instruct", false, false],
])("%s, where files are to be had: %s, is an address: %s", (source, hasFiles, expected) => {
  expect(isAddress(source, hasFiles)).toBe(expected);
});

test("an address becomes a model, and is not downloaded again", async () => {
  expect(await load("/tiny.gguf")).toBe("tiny.gguf");
  await load("/tiny.gguf");
  await load("/tiny.gguf", true);
  expect(requests).toEqual(["GET /tiny.gguf", "HEAD /tiny.gguf"]);
});

test("what came whole and is no model is forgotten, so that a corrected file gets through", async () => {
  const bytes = files.get("/tiny.gguf")!;
  files.set("/tiny.gguf", bytes.subarray(0, 5000));
  await expect(load("/tiny.gguf")).rejects.toMatchObject({ code: "CORRUPT_MODEL" });
  files.set("/tiny.gguf", bytes);
  expect(await load("/tiny.gguf")).toBe("tiny.gguf");
});

test("an address without a file says what the server said", async () => {
  await expect(load("/missing.gguf")).rejects.toMatchObject({
    code: "DOWNLOAD_FAILED",
    message: expect.stringContaining("404"),
  });
});
