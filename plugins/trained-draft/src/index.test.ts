import { createRegistry } from "@foretoken/core";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as trainedDraft from "./index.ts";

const registry = createRegistry();
registry.register(trainedDraft.plugin);

test("exports the factory and the plugin", () => {
  expect(Object.keys(trainedDraft).sort()).toEqual(["default", "plugin", "trainedDraft"]);
  expect(trainedDraft.default).toBe(trainedDraft.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { name, kind, specification } = trainedDraft.plugin;
  expect({ name, kind, specification }).toEqual(manifest.foretoken);
  const resources = { "smollm2-draft": new URL("file:///heads/smollm2-draft/") };
  for (const head of ["smollm2-draft", "./a-folder"]) {
    expect(registry.compose("source", { use: "trained-draft", head }, { resources }).name).toBe(
      "trained-draft",
    );
  }
});

test("a head must be named or given", () => {
  for (const wrong of ["trained-draft", { use: "trained-draft", head: 3 }]) {
    expect(() => registry.compose("source", wrong as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  }
});
