import { createRegistry } from "@foretoken/core";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as promptLookup from "./index.ts";

test("exports the factory and the plugin", () => {
  expect(Object.keys(promptLookup).sort()).toEqual(["default", "plugin", "promptLookup"]);
  expect(promptLookup.default).toBe(promptLookup.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { plugin } = promptLookup;
  const { name, kind, specification, guarantee } = plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
  const registry = createRegistry();
  registry.register(plugin);
  expect(registry.compose("drafter", "prompt-lookup").name).toBe("prompt-lookup");
  expect(registry.compose("drafter", { use: "prompt-lookup", maxTokens: 3 }).defaultLimit).toBe(3);
});
