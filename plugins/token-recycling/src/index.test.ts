import { createRegistry, hasCode } from "@foretoken/core";
import { TableStore } from "@foretoken/drafting";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as tokenRecycling from "./index.ts";

test("exports the factory and the plugin", () => {
  expect(Object.keys(tokenRecycling).sort()).toEqual(["default", "plugin", "tokenRecycling"]);
  expect(tokenRecycling.default).toBe(tokenRecycling.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { name, kind, specification, guarantee } = tokenRecycling.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
  const registry = createRegistry();
  registry.register(tokenRecycling.plugin);
  expect(registry.compose("drafter", "token-recycling").name).toBe("token-recycling");
  expect(registry.compose("drafter", { use: "token-recycling", nodes: 7 }).defaultLimit).toBe(7);
});

test("in JSON a store goes by the name of a resource", () => {
  const registry = createRegistry();
  registry.register(tokenRecycling.plugin);
  const json = { use: "token-recycling", store: "warm" };
  expect(registry.compose("drafter", json, { resources: { warm: new TableStore() } }).name).toBe(
    "token-recycling",
  );
  for (const resources of [{}, { cold: new TableStore() }, { warm: 3 }]) {
    try {
      registry.compose("drafter", json, { resources });
      expect.unreachable();
    } catch (error) {
      expect(hasCode(error, "INVALID_OPTION")).toBe(true);
      expect((error as Error).message).toMatch(
        /^(store|Option store) .*token-recycling|store of token-recycling/,
      );
    }
  }
});
