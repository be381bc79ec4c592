import { createRegistry } from "@foretoken/core";
import { scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as bigram from "./index.ts";

test("exports the factory, the plugin and what makes tables", () => {
  expect(Object.keys(bigram).sort()).toEqual(["bigram", "default", "makeBigramTable", "plugin"]);
  expect(bigram.default).toBe(bigram.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { name, kind, specification, guarantee } = bigram.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
  const registry = createRegistry();
  registry.register(bigram.plugin);
  expect(registry.compose("drafter", "bigram").name).toBe("bigram");
  expect(registry.compose("drafter", { use: "bigram", nodes: 7 }).defaultLimit).toBe(7);
});

test("in JSON a table is a resource or a path", async () => {
  const registry = createRegistry();
  registry.register(bigram.plugin);
  const model = scriptedModel({ next: ([...tokens]) => tokens.length % 3 });
  const table = await bigram.makeBigramTable(model);
  const json = { use: "bigram", table: "mine" };
  await registry.compose("drafter", json, { resources: { mine: table } }).prepare!(model);
  await expect(registry.compose("drafter", json).prepare!(model)).rejects.toThrow(/mine cannot be read/);
});
