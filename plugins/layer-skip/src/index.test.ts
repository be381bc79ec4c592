import { createRegistry } from "@foretoken/core";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as layerSkip from "./index.ts";

test("exports the factory and the plugin", () => {
  expect(Object.keys(layerSkip).sort()).toEqual(["default", "layerSkip", "plugin"]);
  expect(layerSkip.default).toBe(layerSkip.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { plugin } = layerSkip;
  const { name, kind, specification } = plugin;
  expect({ name, kind, specification }).toEqual(manifest.foretoken);
  const registry = createRegistry();
  registry.register(plugin);
  expect(registry.compose("source", "layer-skip").name).toBe("layer-skip");
  expect(registry.compose("source", { use: "layer-skip", layers: [0, 2] }).name).toBe("layer-skip");
});

test.each([[[]], [[-1]], [[0.5]], ["0,1"]])("refuses the layers %j", (layers) => {
  const registry = createRegistry();
  registry.register(layerSkip.plugin);
  expect(() => registry.compose("source", { use: "layer-skip", layers })).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION" }),
  );
});
