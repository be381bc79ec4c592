import { createRegistry, definePlugin, generate } from "@foretoken/core";
import { randomLaw, scriptedModel, scriptedSource } from "@foretoken/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import manifest from "../package.json" with { type: "json" };
import * as dyspec from "./index.ts";

const source = scriptedSource({ law: randomLaw({ seed: 1, vocabularySize: 4 }) });

function registryWithSource() {
  const registry = createRegistry();
  registry.register(dyspec.plugin);
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
  expect(Object.keys(dyspec).sort()).toEqual(["default", "dyspec", "plugin"]);
  expect(dyspec.default).toBe(dyspec.plugin);
});

test("the plugin is what its package says", () => {
  const { name, kind, specification, guarantee } = dyspec.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
});

test("is built from JSON, with its source by name", async () => {
  const registry = registryWithSource();
  const drafter = registry.compose("drafter", { use: "dyspec", source: source.name, nodes: 32 });
  expect([drafter.name, drafter.defaultLimit]).toEqual(["dyspec", 32]);
  const decoder = registry.compose("decoder", {
    use: "dyspec",
    source: { use: source.name },
    variant: "greedy",
    nodes: 8,
    batch: 2,
  });
  expect(decoder.guarantee().level).toBe("distribution");
  const model = scriptedModel({ vocabularySize: 4, law: randomLaw({ seed: 2, vocabularySize: 4 }) });
  const { report } = await generate(model, { prompt: [0], decoder, maxTokens: 20 });
  expect(report.bySource).toHaveProperty("dyspec");
});

test.each([
  [{}, "source"],
  [{ source: source.name, nodes: 0 }, "nodes"],
  [{ source: source.name, variant: "lazy" }, "variant"],
  [{ source: source.name, threshold: 0 }, "threshold"],
  [{ source: source.name, variant: "greedy", threshold: 0.1 }, "threshold"],
  [{ source: source.name, batch: 2 }, "batch"],
  [{ source: source.name, temperature: 0 }, "temperature"],
  [{ source: source.name, depth: 3 }, "depth"],
])("refuses %j and names %s", (options, named) => {
  const compose = () => registryWithSource().compose("drafter", { use: "dyspec", ...options });
  expect(compose).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining(named) }),
  );
});
