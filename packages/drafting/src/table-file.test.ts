import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode } from "@foretoken/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SuccessorCounts } from "./successor-counts.ts";
import { loadSuccessors, loadTable, saveSuccessors, saveTable } from "./table-file.ts";
import { TokenTable } from "./token-table.ts";

const MODEL = { contentHash: "c0ffee", vocabularySize: 100 };
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "table-"));
});
afterEach(() => rm(folder, { recursive: true }));

function tableWith(row: readonly number[]): TokenTable {
  const table = new TokenTable({ vocabularySize: 100, candidatesPerToken: 2 });
  table.set(3, row);
  return table;
}

test("a saved table loads, replaces an older one, and leaves nothing else behind", async () => {
  const path = join(folder, "a.table");
  await saveTable(path, tableWith([1]), MODEL);
  await saveTable(path, tableWith([5, 6]), MODEL);
  expect((await loadTable(path, MODEL)).row(3)).toEqual([5, 6]);
  expect(await readdir(folder)).toEqual(["a.table"]);
});

test("a table that cannot be written leaves no half file", async () => {
  const missing = join(folder, "no", "a.table");
  const error = await saveTable(missing, tableWith([1]), MODEL).catch((caught: unknown) => caught);
  expect(hasCode(error, "CACHE_NOT_WRITABLE")).toBe(true);
  expect((error as Error).message).toContain(missing);

  // A folder of that name cannot be replaced by a file: the temporary file must go.
  await saveTable(folder, tableWith([1]), MODEL).catch(() => {});
  const beside = await readdir(join(folder, ".."));
  expect(beside.filter((name) => name.includes(`${folder.split("/").at(-1)}.`))).toEqual([]);
});

test("a file that is missing or no table is refused by path", async () => {
  const path = join(folder, "a.table");
  const refusal = () => loadTable(path, MODEL).catch((caught: unknown) => caught);
  for (const bytes of [undefined, "text"]) {
    if (bytes !== undefined) await writeFile(path, bytes);
    const error = await refusal();
    expect(hasCode(error, "TABLE_INVALID")).toBe(true);
    expect((error as Error).message).toContain(path);
  }
  expect(await readFile(path, "utf8")).toBe("text");
});

test("tables of successors are files, too", async () => {
  const owner = { kind: "model", hash: "c0ffee" } as const;
  const counts = new SuccessorCounts({ order: 2, vocabularySize: 100, owner });
  counts.addText([1, 2, 3, 1, 2, 4, 1, 2, 3]);
  const path = join(folder, "a.successors");
  await saveSuccessors(path, counts.table());
  const model = { ...MODEL, tokenizer: undefined };
  expect((await loadSuccessors(path, model)).arrays).toEqual(counts.table().arrays);
  await expect(loadSuccessors(join(folder, "no"), model)).rejects.toThrow(/saveSuccessors|cannot be read/);
  await expect(loadTable(path, MODEL)).rejects.toThrow(/no token table/);
});
