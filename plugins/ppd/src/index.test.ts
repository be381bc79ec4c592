import { createRegistry } from "@foretoken/core";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as ppd from "./index.ts";

test("exports the factory, the loader and the plugin", () => {
  expect(Object.keys(ppd).sort()).toEqual(["default", "loadPromptTokens", "plugin", "ppd"]);
  expect(ppd.default).toBe(ppd.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { name, kind, specification, guarantee } = ppd.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
  const registry = createRegistry();
  registry.register(ppd.plugin);
  const resources = { "smollm2-ppd": new URL("file:///heads/smollm2-ppd/") };
  expect(registry.compose("drafter", { use: "ppd", head: "smollm2-ppd", rows: 8 }, { resources }).name).toBe(
    "ppd",
  );
  expect(registry.compose("decoder", { use: "ppd", head: "./folder" }).name).toBe("speculative(ppd)");
});
