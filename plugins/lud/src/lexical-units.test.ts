import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { generate } from "@foretoken/core";
import { scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { partFolder } from "./__fixtures__/part-folder.ts";
import { loadLexicalUnits } from "./lexical-units.ts";
import { lud } from "./lud.ts";

const BASE = "ab".repeat(32);
const embeddings = Float32Array.from({ length: 24 }, (_, index) => index);
const shape = { width: 8, lookAhead: 4, threshold: 0.5 };

test("are loaded from a folder, by path and by address", async () => {
  const folder = partFolder({ base: BASE, embeddings, shape });
  for (const place of [folder, pathToFileURL(folder)]) {
    const { id, manifest, floats } = await loadLexicalUnits(place);
    expect(id).toBe("tiny-lud");
    expect(manifest.shape).toEqual(shape);
    expect(manifest.base).toMatchObject({ file: "tiny.gguf", sha256: BASE });
    expect(floats("embeddings")).toEqual(embeddings);
  }
});

test("each padding is fed its own embedding", async () => {
  const seen = new Set<string>();
  const model = scriptedModel({
    id: "abc",
    next: (tokens) => (tokens.at(-1)! + 1) % 8,
    probe: (tokens, { embeddings: fed }) => {
      seen.add(fed.map((embedding) => embedding.join()).join(" | "));
      return Array.from({ length: 8 }, (_, token) =>
        token === (tokens.at(-1)! + 1 + fed.length) % 8 ? 9 : 0,
      );
    },
  });
  const folder = partFolder({ base: model.contentHash, embeddings, shape });
  const { report } = await generate(model, { prompt: [1], decoder: lud({ head: folder }), maxTokens: 13 });
  expect(report.targetPasses).toBe(3);
  const row = (at: number) => embeddings.slice(8 * at, 8 * at + 8).join();
  expect([...seen]).toEqual([row(0), `${row(0)} | ${row(1)}`, `${row(0)} | ${row(1)} | ${row(2)}`]);
});

test("trained with deltas they belong to the weights with them", async () => {
  const sha256 = "cd".repeat(32);
  const deltas = { file: "deltas.safetensors", sha256 };
  const head = await loadLexicalUnits(partFolder({ base: BASE, embeddings, shape: { ...shape, deltas } }));
  const adapted = createHash("sha256").update(`${BASE} ${sha256}`).digest("hex");
  expect(head.manifest.base).toMatchObject({
    file: "tiny.gguf with deltas.safetensors",
    sha256: adapted,
    dequantizedSha256: BASE,
  });
});

test.each([
  ["no place to look ahead", { ...shape, lookAhead: 1 }],
  ["fewer embeddings than places", { ...shape, lookAhead: 5 }],
  ["no threshold", { width: 8, lookAhead: 4 }],
  ["a threshold above 1", { ...shape, threshold: 1.5 }],
  ["deltas without a hash", { ...shape, deltas: { file: "deltas.safetensors" } }],
])("with %s are refused", async (_, wrong) => {
  const folder = partFolder({ base: BASE, embeddings, shape: wrong });
  await expect(loadLexicalUnits(folder)).rejects.toMatchObject({ code: "CORRUPT_MODEL" });
});
