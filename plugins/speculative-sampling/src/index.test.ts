import { createRegistry } from "@foretoken/core";
import { scriptedSource } from "@foretoken/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as speculativeSampling from "./index.ts";

const source = scriptedSource({ law: () => [0.5, 0.5] });
const registry = createRegistry();
registry.register(speculativeSampling.plugin);

test("exports the factory and the plugin", () => {
  expect(Object.keys(speculativeSampling).sort()).toEqual(["default", "plugin", "speculativeSampling"]);
  expect(speculativeSampling.default).toBe(speculativeSampling.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { name, kind, specification, guarantee } = speculativeSampling.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
  const drafter = registry.compose("drafter", { use: "speculative-sampling", source, length: 3 });
  expect(drafter).toMatchObject({ name: "speculative-sampling", proposal: "sampled", defaultLimit: 3 });
});

test("as a decoder it promises the target's law", () => {
  const decoder = registry.compose("decoder", { use: "speculative-sampling", source });
  expect(decoder.guarantee().level).toBe("distribution");
});

test.each([
  [{}, /source/],
  [{ source: "plain" }, /plain, a decoder, but must be a source/],
  [{ source, length: 0 }, /length/],
  [{ source, temperature: -1 }, /temperature/],
  [{ source, topK: -1 }, /topK/],
  [{ source, depth: 3 }, /depth/],
])("refuses the options %#", (options, message) => {
  expect(() => registry.compose("drafter", { use: "speculative-sampling", ...options })).toThrow(message);
});
