import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DecodingError } from "@foretoken/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bytesSource } from "../weights/byte-source.ts";
import { type DownloadOptions, downloadFile } from "./download-file.ts";
import type { FileStore, StoredFile } from "./file-store.ts";
import { folderFiles } from "./folder-files.ts";
import { memoryFiles } from "./memory-files.ts";
import type { LoadProgress } from "./progress.ts";

const contentOf = (seed: number) => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * seed) % 251));
  bytes.write("GGUF");
  return bytes;
};
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const content = contentOf(7);
const sha256 = hashOf(content);

/** What the server has, and how it behaves. */
interface Served {
  bytes: Buffer;
  etag: string | undefined;
  /** Ends the connection behind so many bytes of an answer. */
  cutAfter: number | undefined;
  knowsRanges: boolean;
  /** An answer of its own. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
}
let served: Served;
/** What was asked, such as `GET bytes=10-`. */
let requests: string[];
let server: Server;
let url: string;
let folder: string;

beforeEach(async () => {
  served = { bytes: content, etag: '"one"', cutAfter: undefined, knowsRanges: true, answer: undefined };
  requests = [];
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.headers.range ?? ""}`.trim());
    if (served.answer) return served.answer(request, response);
    if (served.etag) response.setHeader("etag", served.etag);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const isRange = served.knowsRanges && from > 0;
    if (isRange && from >= served.bytes.length) return response.writeHead(416).end();
    const body = isRange ? served.bytes.subarray(from) : served.bytes;
    const range = `bytes ${from}-${served.bytes.length - 1}/${served.bytes.length}`;
    response.writeHead(isRange ? 206 : 200, {
      "content-length": body.length,
      ...(isRange ? { "content-range": range } : {}),
    });
    if (request.method === "HEAD") return response.end();
    if (served.cutAfter === undefined) return response.end(body);
    response.write(body.subarray(0, served.cutAfter), () => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/tiny.gguf`;
  folder = mkdtempSync(join(tmpdir(), "foretoken-download-"));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Keeps parts and files, as a browser does; `room` is what it may hold in bytes. */
function resumingFiles(room = Number.POSITIVE_INFINITY): FileStore & { readonly names: () => string[] } {
  const files = new Map<string, StoredFile>();
  const parts = new Map<string, { bytes: Buffer; validator: string | undefined }>();
  const full = () => new DecodingError("CACHE_NOT_WRITABLE", { message: "No room.", fix: "Make some." });
  return {
    resumes: true,
    spills: true,
    names: () => [...files.keys(), ...[...parts.keys()].map((name) => `${name}.part`)],
    find: async (name) => files.get(name),
    remove: async (name) => void files.delete(name),
    alone: (_name, _signal, work) => work(),
    async partial(name) {
      const part = parts.get(name) ?? { bytes: Buffer.alloc(0), validator: undefined };
      return {
        get size() {
          return part.bytes.length;
        },
        get validator() {
          return part.validator;
        },
        async restart(validator) {
          Object.assign(part, { bytes: Buffer.alloc(0), validator });
        },
        async reserve() {},
        async append(bytes) {
          if (part.bytes.length + bytes.length > room) throw full();
          part.bytes = Buffer.concat([part.bytes, bytes]);
        },
        content: async () => bytesSource(part.bytes, name),
        async close({ keep }) {
          if (keep) parts.set(name, part);
          else parts.delete(name);
        },
        async finish(record) {
          parts.delete(name);
          const file = { record, source: bytesSource(part.bytes, name) };
          files.set(name, file);
          return file;
        },
      };
    },
  };
}

async function download(store: FileStore, options: Partial<DownloadOptions> = {}): Promise<StoredFile> {
  return downloadFile(url, { store, name: "tiny", onWarning: () => {}, ...options });
}

/** SHA-256 of what a file holds. */
async function read({ source }: StoredFile): Promise<string> {
  const bytes = await source.read(0, source.size);
  await source.dispose();
  return hashOf(bytes);
}

const filesIn = () => readdirSync(folder, { recursive: true, encoding: "utf8" });

describe.each([
  ["a folder", () => folderFiles(folder)],
  ["a store that resumes", () => resumingFiles()],
])("in %s", (_, make) => {
  test("a file comes with progress, and is there the next time", async () => {
    const store = make();
    const seen: LoadProgress[] = [];
    const file = await download(store, { onProgress: (progress) => seen.push(progress) });
    expect(file.record).toMatchObject({ url, size: content.length, sha256, validator: '"one"' });
    expect(await read(file)).toBe(sha256);
    expect(seen.at(-1)).toEqual({
      phase: "download",
      name: "tiny.gguf",
      loaded: content.length,
      total: content.length,
    });
    expect(await read(await download(store))).toBe(sha256);
    expect(requests).toEqual(["GET", "HEAD"]);
  });

  test("a new version on the server replaces the old one", async () => {
    const store = make();
    await read(await download(store));
    Object.assign(served, { bytes: contentOf(11), etag: '"two"' });
    expect(await read(await download(store))).toBe(hashOf(served.bytes));
  });

  test("a file that is here is taken when the server cannot be asked, or must not be", async () => {
    const store = make();
    await read(await download(store));
    served.answer = (_request, response) => response.writeHead(405).end();
    expect(await read(await download(store))).toBe(sha256);
    served.answer = undefined;
    const before = requests.length;
    expect(await read(await download(store, { offline: true }))).toBe(sha256);
    const expected = { size: content.length, sha256 };
    expect(await read(await download(store, { expected }))).toBe(sha256);
    expect(requests).toHaveLength(before);
  });

  test("offline without the file is an error that says so", async () => {
    await expect(download(make(), { offline: true })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      fix: expect.stringContaining("offline"),
    });
    expect(requests).toEqual([]);
  });

  test("a page instead of a model is refused at its first bytes and not kept", async () => {
    const store = make();
    served.bytes = Buffer.from("<html>Log in</html>");
    await expect(download(store)).rejects.toMatchObject({ code: "NOT_A_MODEL" });
    expect(await store.find("tiny")).toBeUndefined();
  });

  test("a status that is no success is named", async () => {
    served.answer = (_request, response) => response.writeHead(404).end();
    await expect(download(make())).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringContaining("it answered 404"),
    });
  });

  test("another checksum than the known one is refused and not kept", async () => {
    const store = make();
    const expected = { size: content.length, sha256: "0".repeat(64) };
    await expect(download(store, { expected })).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    expect(await store.find("tiny")).toBeUndefined();
  });

  test("a cut download is an error, leaves no file, and the next call gets it whole", async () => {
    const store = make();
    served.cutAfter = 50_000;
    await expect(download(store)).rejects.toMatchObject({ code: "DOWNLOAD_FAILED" });
    expect(await store.find("tiny")).toBeUndefined();
    served.cutAfter = undefined;
    expect(await read(await download(store))).toBe(sha256);
  });

  test("an abort while it comes is ABORTED, and the next call gets it whole", async () => {
    const store = make();
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await expect(download(store, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: "ABORTED",
    });
    expect(await store.find("tiny")).toBeUndefined();
    expect(await read(await download(store))).toBe(sha256);
  });
});

describe("going on where it stopped", () => {
  async function cut(store: FileStore): Promise<void> {
    served.cutAfter = 50_000;
    await expect(download(store)).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      fix: expect.stringContaining("behind byte 50000"),
    });
    served.cutAfter = undefined;
    requests.length = 0;
  }

  test("asks for the rest only, and hashes the whole", async () => {
    const store = resumingFiles();
    await cut(store);
    const file = await download(store);
    expect(requests).toEqual(["GET bytes=50000-"]);
    expect(file.record.sha256).toBe(sha256);
    expect(await read(file)).toBe(sha256);
    expect(store.names()).toEqual(["tiny"]);
  });

  test("starts anew when the server has another version, which is as long", async () => {
    const store = resumingFiles();
    await cut(store);
    Object.assign(served, { bytes: contentOf(11), etag: '"two"' });
    expect(await read(await download(store))).toBe(hashOf(served.bytes));
    expect(requests).toEqual(["GET bytes=50000-", "GET"]);
  });

  test("starts anew when the server knows no ranges", async () => {
    const store = resumingFiles();
    await cut(store);
    served.knowsRanges = false;
    expect(await read(await download(store))).toBe(sha256);
    expect(requests).toEqual(["GET bytes=50000-"]);
  });

  test("starts anew when the file is shorter by now", async () => {
    const store = resumingFiles();
    await cut(store);
    served.bytes = content.subarray(0, 40_000);
    expect(await read(await download(store))).toBe(hashOf(served.bytes));
  });

  test("keeps no part when the server tells no versions apart", async () => {
    const store = resumingFiles();
    Object.assign(served, { etag: undefined, cutAfter: 50_000 });
    await expect(download(store)).rejects.toMatchObject({ code: "DOWNLOAD_FAILED" });
    expect(store.names()).toEqual([]);
  });
});

test("without room the file is in memory, and a warning says so", async () => {
  const store = resumingFiles(60_000);
  const onWarning = vi.fn();
  expect(await read(await download(store, { onWarning }))).toBe(sha256);
  expect(onWarning.mock.calls).toEqual([[expect.stringMatching(/No room.*memory.*Make some/)]]);
  expect(store.names()).toEqual([]);
});

test("memory keeps nothing", async () => {
  const store = memoryFiles();
  await read(await download(store));
  await read(await download(store));
  expect(requests).toEqual(["GET", "GET"]);
});

describe("a folder", () => {
  test("holds the file and its record, nothing else, also after failures", async () => {
    served.cutAfter = 50_000;
    await expect(download(folderFiles(folder))).rejects.toThrow();
    served.cutAfter = undefined;
    await read(await download(folderFiles(folder)));
    const files = filesIn().filter((name) => statSync(join(folder, name)).isFile());
    expect(files.map((name) => name.split("/").at(-1)).sort()).toEqual(["content.gguf", "record.json"]);
  });

  test.each([
    ["cut", (path: string) => truncateSync(path, 1000)],
    ["full of zeros", (path: string) => writeFileSync(path, Buffer.alloc(content.length))],
  ])("downloads a file again that is %s", async (_, damage) => {
    await read(await download(folderFiles(folder)));
    damage(join(folder, filesIn().find((name) => name.endsWith(".gguf"))!));
    requests.length = 0;
    expect(await read(await download(folderFiles(folder)))).toBe(sha256);
    expect(requests).toEqual(["GET"]);
  });

  test("that cannot be written is an error: an application can name another", async () => {
    writeFileSync(join(folder, "addresses"), "");
    await expect(download(folderFiles(folder))).rejects.toMatchObject({ code: "CACHE_NOT_WRITABLE" });
  });
});
