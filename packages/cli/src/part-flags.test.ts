import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Model } from "@foretoken/core";
import { expect, test } from "vitest";
import { PartBuilder } from "./part-flags.ts";

/** A project with one plugin, a source that keeps what it was made with. */
function projectWithSource(): string {
  const project = mkdtempSync(join(tmpdir(), "foretoken-parts-"));
  const folder = join(project, "node_modules", "near");
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name: "near",
    version: "1.0.0",
    type: "module",
    keywords: ["foretoken-plugin"],
    exports: "./index.js",
    foretoken: { name: "near", kind: "source", specification: "v1" },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const code = `export const plugin = {
    specification: "v1", kind: "source", name: "near", summary: "For a test.",
    options: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
    create: ({ model }, { resources }) => ({
      name: "near", requirements: () => ({}), start: () => {}, prepare: () => resources.loadModel(model),
    }),
  };`;
  writeFileSync(join(folder, "index.js"), code);
  return project;
}

test("an installed part gets models loaded as the command loads its own", async () => {
  const asked: string[] = [];
  const parts = new PartBuilder(projectWithSource(), {
    loadModel: async (name) => {
      asked.push(name);
      return {} as Model;
    },
  });
  const source = await parts.build("source", { use: "near", model: "./small.gguf" });
  expect(asked).toEqual([]);
  await source.prepare!({} as Model);
  expect(asked).toEqual(["./small.gguf"]);
});
