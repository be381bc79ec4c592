import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { byteAt } from "./__fixtures__/byte-at.ts";
import type { DownloadTask } from "./__fixtures__/download-worker.ts";
import { type DownloadOptions, downloadFile } from "./download-file.ts";
import type { StoredFile } from "./file-store.ts";
import { originFiles } from "./origin-files.ts";
import { openOriginFolder } from "./origin-folder.ts";

const url = "https://models.test/tiny.gguf";
const content = Uint8Array.from({ length: 300_000 }, (_, index) => byteAt(index));
const PIECE = 50_000;

/** Names of asked ranges, and whether the next answer is cut behind so many bytes. */
let requests: string[];
let cutAfter: number;

beforeEach(() => {
  requests = [];
  cutAfter = Number.POSITIVE_INFINITY;
  vi.stubGlobal("fetch", async (_: string, { method, headers, signal }: RequestInit) => {
    const range = new Headers(headers).get("range") ?? "";
    requests.push(`${method} ${range}`.trim());
    const from = Number(/bytes=(\d+)-/.exec(range)?.[1] ?? 0);
    let at = from;
    const body = new ReadableStream<Uint8Array>({
      pull(stream) {
        if (signal?.aborted) return stream.error(signal.reason);
        if (at >= cutAfter) return stream.error(new TypeError("network error"));
        if (at >= content.length) return stream.close();
        stream.enqueue(content.slice(at, at + PIECE));
        at += PIECE;
      },
    });
    const answer = { "content-length": String(content.length - from), etag: '"one"' };
    return new Response(method === "HEAD" ? null : body, { status: from > 0 ? 206 : 200, headers: answer });
  });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await originFiles().remove("tiny");
});

const download = (options: Partial<DownloadOptions> = {}) =>
  downloadFile(url, { store: originFiles(), name: "tiny", onWarning: () => {}, ...options });

async function isWhole({ source }: StoredFile): Promise<boolean> {
  const bytes = await source.read(0, source.size);
  return bytes.length === content.length && bytes.every((byte, index) => byte === content[index]);
}

async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const name of (await openOriginFolder("models", "tiny")).keys()) found.push(name);
  return found.sort();
}

test("a file is stored, read by ranges, and taken from there the next time", async () => {
  const file = await download();
  expect(await isWhole(file)).toBe(true);
  expect(await file.source.read(1, 3)).toEqual(content.slice(1, 4));
  expect(await names()).toEqual(["content", "record.json"]);
  expect(await isWhole(await download())).toBe(true);
  expect(requests).toEqual(["GET", "HEAD"]);
});

test("a cut download leaves a part and no file; the next call fetches the rest", async () => {
  cutAfter = 2 * PIECE;
  await expect(download()).rejects.toMatchObject({ code: "DOWNLOAD_FAILED" });
  expect(await names()).toEqual(["content.part", "part.json"]);
  cutAfter = Number.POSITIVE_INFINITY;
  expect(await isWhole(await download())).toBe(true);
  expect(requests).toEqual(["GET", `GET bytes=${2 * PIECE}-`]);
  expect(await names()).toEqual(["content", "record.json"]);
});

test("a download that was aborted goes on, too", async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  await expect(download({ signal: controller.signal, onProgress })).rejects.toMatchObject({
    code: "ABORTED",
  });
  expect(await isWhole(await download())).toBe(true);
  expect(requests[1]).toBe(`GET bytes=${PIECE}-`);
});

test("two loads at once download once", async () => {
  const files = await Promise.all([download(), download()]);
  expect(await Promise.all(files.map(isWhole))).toEqual([true, true]);
  expect(requests).toEqual(["GET", "HEAD"]);
});

test("without enough quota the file is in memory, nothing is stored, and a warning says so", async () => {
  vi.spyOn(navigator.storage, "estimate").mockResolvedValue({ quota: 1_000_000, usage: 900_000 });
  const onWarning = vi.fn();
  expect(await isWhole(await download({ onWarning }))).toBe(true);
  expect(onWarning.mock.calls).toEqual([[expect.stringMatching(/no more storage: 300000 bytes.*in memory/)]]);
  expect(await names()).toEqual([]);
});

test("a quota that ends on the way does the same", async () => {
  const full = new DOMException("The quota has been exceeded.", "QuotaExceededError");
  let writes = 0;
  const write = FileSystemWritableFileStream.prototype.write;
  vi.spyOn(FileSystemWritableFileStream.prototype, "write").mockImplementation(function (
    this: FileSystemWritableFileStream,
    data,
  ) {
    return ++writes > 3 ? Promise.reject(full) : write.call(this, data);
  });
  const onWarning = vi.fn();
  expect(await isWhole(await download({ onWarning }))).toBe(true);
  expect(onWarning).toHaveBeenCalledTimes(1);
  expect(await names()).toEqual([]);
});

test("what was damaged since is downloaded again", async () => {
  await download();
  const handle = await (await openOriginFolder("models", "tiny")).getFileHandle("content");
  const stream = await handle.createWritable();
  await stream.write(new Uint8Array(content.length));
  await stream.close();
  expect(await isWhole(await download())).toBe(true);
  expect(requests).toEqual(["GET", "GET"]);
});

/** What a worker answers with. */
interface Answer {
  readonly hangs?: true;
  readonly requests: readonly string[];
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

async function inWorker(task: DownloadTask): Promise<{ worker: Worker; answer: Answer }> {
  const worker = new Worker(new URL("./__fixtures__/download-worker.ts", import.meta.url), {
    type: "module",
  });
  const answer = await new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(task);
  });
  return { worker, answer };
}

test("what a worker had when it was killed is kept: the next one goes on", async () => {
  const task = { url, name: "tiny", size: content.length };
  const killed = await inWorker({ ...task, hangAfter: 3 * PIECE });
  expect(killed.answer.hangs).toBe(true);
  killed.worker.terminate();
  const { worker, answer } = await inWorker(task);
  worker.terminate();
  expect(answer.requests).toEqual([`GET bytes=${3 * PIECE}-`]);
  expect(answer.bytes.every((byte, index) => byte === content[index])).toBe(true);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  expect(answer.sha256).toBe([...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  expect(await names()).toEqual(["content", "record.json"]);
});
