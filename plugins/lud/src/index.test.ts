import { createRegistry, generate } from "@foretoken/core";
import { randomDrafter, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { lexicalUnitsFor } from "./__fixtures__/lexical-units.ts";
import { partFolder } from "./__fixtures__/part-folder.ts";
import * as index from "./index.ts";

const registry = createRegistry();
for (const plugin of index.plugins) registry.register(plugin);

// Its hash is its name with zeros behind it.
const model = scriptedModel({ id: "abc", vocabularySize: 6, next: (text) => text.length % 6 });
const head = lexicalUnitsFor(model);

test("exports the factories, the loader and the plugins", () => {
  expect(Object.keys(index).sort()).toEqual(["loadLexicalUnits", "lud", "ludDraft", "plugins"]);
});

test("the plugins are what the package says", () => {
  const said = index.plugins.map(({ name, kind, specification, guarantee }) => ({
    name,
    kind,
    specification,
    guarantee,
  }));
  expect(said).toEqual(manifest.foretoken);
});

test("is built from JSON, with its head from a folder or from the program's resources", async () => {
  const shape = { width: model.width, lookAhead: 4, threshold: 0.9 };
  const embeddings = new Float32Array(3 * model.width);
  const folder = partFolder({ base: model.contentHash, embeddings, shape });
  for (const [given, resources] of [
    [folder, {}],
    ["mine", { mine: folder }],
    ["mine", { mine: head }],
    [head, {}],
  ] as const) {
    for (const json of [
      { use: "lud", head: given },
      { use: "lud", head: given, verify: true },
      { use: "lud-draft", head: given },
    ]) {
      const decoder = registry.compose("decoder", json, { resources });
      const { report } = await generate(model, { prompt: [0], decoder, maxTokens: 21 });
      expect(report.targetPasses).toBe(5);
    }
  }
});

test("as a draft it merges with others", async () => {
  const decoder = registry.compose("decoder", {
    use: "speculative",
    drafters: [{ use: "lud-draft", head }, randomDrafter({ seed: 1, vocabularySize: 6 })],
  });
  const { report, guarantee } = await generate(model, { prompt: [0], decoder, maxTokens: 40 });
  expect(guarantee.level).toBe("identical");
  expect(report.bySource["lud-draft"]!.accepted).toBeGreaterThan(20);
});

test("the guarantee resolves upward", () => {
  const level = (json: object) =>
    registry.compose("decoder", { use: "lud", head, ...json }).guarantee().level;
  expect(level({})).toBe("altered");
  expect(level({ threshold: 1 })).toBe("altered");
  expect(level({ threshold: 1.01 })).toBe("identical");
  expect(level({ lookAhead: 1 })).toBe("identical");
  expect(level({ verify: true })).toBe("identical");
});
