import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runScripted } from "../__fixtures__/run-scripted.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "table-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a folder of texts becomes a table, which a decoder uses", async () => {
  await writeFile(join(folder, "a.txt"), "the cat sat on the cat sat.");
  const out = join(folder, "deep", "texts.table");
  const { code, stdout } = await runScripted(["table", folder, "--out", out, "--json"]);
  expect(code).toBe(0);
  const { path, rows, decoder } = JSON.parse(stdout);
  expect([path, decoder]).toEqual([out, { use: "aded", table: out }]);
  expect(rows).toBeGreaterThan(10);

  const argv = ["generate", "--json", "hi", "--decoder"];
  const warm = JSON.parse((await runScripted([...argv, JSON.stringify(decoder)])).stdout);
  const cold = JSON.parse((await runScripted([...argv, "aded"])).stdout);
  expect(warm.text).toBe(cold.text);
  expect(warm.report.targetPasses).toBeLessThan(cold.report.targetPasses);
});

test("without a folder the model is asked, once, and the file lies in the cache", async () => {
  const { code, stdout } = await runScripted(["table"], { env: { FORETOKEN_CACHE: folder } });
  expect(code).toBe(0);
  const [, path, json] = /in (\S+)\n\n {2}--decoder '(.*)'\n$/.exec(stdout)!;
  expect(path!.startsWith(join(folder, "tables", "bigram-"))).toBe(true);
  const { mtimeMs } = await stat(path!);
  expect((await runScripted(["table"], { env: { FORETOKEN_CACHE: folder } })).stdout).toBe(stdout);
  expect((await stat(path!)).mtimeMs, "made again").toBe(mtimeMs);
  const { code: used } = await runScripted(["generate", "hi", "--decoder", json!]);
  expect(used).toBe(0);
});

test("a folder that is none fails with its name", async () => {
  const { code, stderr } = await runScripted(["table", join(folder, "no")]);
  expect(code).toBeGreaterThan(0);
  expect(stderr).toContain(join(folder, "no"));
});
