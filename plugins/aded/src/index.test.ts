import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRegistry } from "@foretoken/core";
import { loadSuccessors, saveSuccessors } from "@foretoken/drafting";
import { scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as aded from "./index.ts";

const scripted = scriptedModel({ next: () => 0 });
const model = { ...scripted, tokenizer: scripted.tokenizer! };

test("exports the factory, the plugin and what makes tables", () => {
  expect(Object.keys(aded).sort()).toEqual([
    "aded",
    "default",
    "plugin",
    "tableFromFolder",
    "tableFromTexts",
  ]);
  expect(aded.default).toBe(aded.plugin);
});

test("the plugin is what its package says, and its part has its name", async () => {
  const { name, kind, specification, guarantee } = aded.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
  const registry = createRegistry();
  registry.register(aded.plugin);
  expect(registry.compose("drafter", "aded").name).toBe("aded");
  expect(registry.compose("drafter", { use: "aded", nodes: 7, search: "puct" }).defaultLimit).toBe(7);
  expect(() => registry.compose("drafter", { use: "aded", nodes: 65 })).toThrow(/nodes/);
});

test("in JSON a table is a resource or a path", async () => {
  const registry = createRegistry();
  registry.register(aded.plugin);
  const table = await aded.tableFromTexts(model, ["abc"]);
  const json = { use: "aded", table: "mine" };
  await registry.compose("drafter", json, { resources: { mine: table } }).prepare!(model);
  await expect(registry.compose("drafter", json).prepare!(model)).rejects.toThrow(/mine cannot be read/);
  expect(() => registry.compose("drafter", json, { resources: { mine: 3 } })).toThrow(/"mine" is no table/);
});

test("a folder of texts becomes the table of those texts, which is saved, loaded and used", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aded-"));
  try {
    const texts = ["abcabd", "bcdbca"];
    await mkdir(join(folder, "deeper"));
    await writeFile(join(folder, "a.txt"), texts[0]!);
    await writeFile(join(folder, "deeper", "b.md"), texts[1]!);
    await writeFile(join(folder, "c.bin"), "left out");
    const told: number[][] = [];
    const table = await aded.tableFromFolder(model, folder, { onProgress: (...done) => told.push(done) });
    expect(table.arrays).toEqual((await aded.tableFromTexts(model, texts)).arrays);
    expect(table.rows).toBeGreaterThan(0);
    expect(told).toEqual([
      [1, 2],
      [2, 2],
    ]);

    const path = join(folder, "texts.table");
    await saveSuccessors(path, table);
    // Another model of the same tokenizer may use it.
    const other = { ...model, contentHash: "another" };
    expect((await loadSuccessors(path, other)).arrays).toEqual(table.arrays);
    const drafter = aded.aded({ table: path });
    await drafter.prepare!(model);
    expect(() => drafter.start({ model, session: model.createSession(), missingPrefix: 0 })).not.toThrow();

    await expect(aded.tableFromFolder(model, folder, { endings: [".tex"] })).rejects.toThrow(
      /no file .* \.tex/,
    );
    await expect(aded.tableFromFolder(model, join(folder, "no"))).rejects.toThrow(/no cannot be read/);
    await expect(aded.tableFromFolder(model, folder, { signal: AbortSignal.abort() })).rejects.toThrow(
      /after 0 of 2/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
