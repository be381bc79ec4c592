import { createRegistry, definePlugin, generate } from "@foretoken/core";
import { randomLaw, scriptedModel, scriptedSource } from "@foretoken/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import manifest from "../package.json" with { type: "json" };
import * as rsd from "./index.ts";

const source = scriptedSource({ law: randomLaw({ seed: 1, vocabularySize: 4 }) });

function registryWithSource() {
  const registry = createRegistry();
  registry.register(rsd.plugin);
  registry.register(
    definePlugin({
      specification: "v1",
      kind: "source",
      name: source.name,
      summary: "A law that is written down.",
      options: z.strictObject({}),
      create: () => source,
    }),
  );
  return registry;
}

test("exports the factory and the plugin", () => {
  expect(Object.keys(rsd).sort()).toEqual(["default", "plugin", "rsd"]);
  expect(rsd.default).toBe(rsd.plugin);
});

test("the plugin is what its package says", () => {
  const { name, kind, specification, guarantee } = rsd.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
});

test("is built from JSON, with its source by name", async () => {
  const registry = registryWithSource();
  const drafter = registry.compose("drafter", { use: "rsd", source: source.name, branching: [2, 2, 1] });
  expect([drafter.name, drafter.defaultLimit]).toEqual(["rsd", 10]);
  const decoder = registry.compose("decoder", {
    use: "rsd",
    source: { use: source.name },
    width: 2,
    depth: 5,
  });
  expect(decoder.guarantee().level).toBe("distribution");
  const model = scriptedModel({ vocabularySize: 4, law: randomLaw({ seed: 2, vocabularySize: 4 }) });
  const { report } = await generate(model, { prompt: [0], decoder, maxTokens: 20 });
  expect(report.bySource).toHaveProperty("rsd");
});

test.each([
  [{}, "source"],
  [{ source: source.name, width: 0 }, "width"],
  [{ source: source.name, branching: [2], width: 3 }, "branching"],
  [{ source: source.name, branching: [64, 64] }, "branching"],
  [{ source: source.name, branching: [] }, "branching"],
  [{ source: source.name, temperature: 0 }, "temperature"],
  [{ source: source.name, beam: 3 }, "beam"],
])("refuses %j and names %s", (options, named) => {
  const compose = () => registryWithSource().compose("drafter", { use: "rsd", ...options });
  expect(compose).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining(named) }),
  );
});
