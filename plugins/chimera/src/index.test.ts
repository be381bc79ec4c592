import { createRegistry } from "@foretoken/core";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as chimera from "./index.ts";

const registry = createRegistry();
for (const plugin of chimera.plugins) registry.register(plugin as never);

test("exports the factories and the plugins", () => {
  expect(Object.keys(chimera).sort()).toEqual(["chimera", "chimeraDraft", "loadChimera", "plugins"]);
});

test("the plugins are what their package says, and their parts have their names", () => {
  expect(
    chimera.plugins.map(({ name, kind, specification, guarantee }) => ({
      name,
      kind,
      specification,
      guarantee,
    })),
  ).toEqual(manifest.foretoken);
  const resources = { "smollm2-chimera": new URL("file:///heads/smollm2-chimera/") };
  for (const head of ["smollm2-chimera", "./a-folder"]) {
    const json = { use: "chimera", head, nodes: 3 };
    expect(registry.compose("drafter", json, { resources })).toMatchObject({
      name: "chimera",
      defaultLimit: 3,
    });
    expect(registry.compose("source", { use: "chimera-draft", head }, { resources }).name).toBe(
      "chimera-draft",
    );
  }
});

test("a network must be named or given", () => {
  for (const wrong of ["chimera", { use: "chimera", head: 3 }]) {
    expect(() => registry.compose("drafter", wrong as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  }
});
