import { createRegistry } from "@foretoken/core";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as exported from "./index.ts";

test("exports the factory, the loader and the plugin", () => {
  expect(Object.keys(exported).sort()).toEqual(["default", "hiddenTransfer", "loadTransferMaps", "plugin"]);
  expect(exported.default).toBe(exported.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { name, kind, specification, guarantee } = exported.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
  const registry = createRegistry();
  registry.register(exported.plugin);
  const resources = { maps: new URL("file:///heads/smollm2-hidden-transfer/") };
  const json = { use: "hidden-transfer", head: "maps", rows: 8, source: "previous" };
  expect(registry.compose("drafter", json, { resources }).name).toBe("hidden-transfer");
  expect(registry.compose("decoder", { use: "hidden-transfer", head: "./folder" }).name).toBe(
    "speculative(hidden-transfer)",
  );
});
