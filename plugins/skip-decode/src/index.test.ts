import { createRegistry } from "@foretoken/core";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as skipDecode from "./index.ts";

const registry = createRegistry();
for (const plugin of skipDecode.plugins) registry.register(plugin);

test("exports the factories and the plugins", () => {
  expect(Object.keys(skipDecode).sort()).toEqual(["plugins", "skipDecode", "skipDecodeDraft"]);
});

test("the plugins are what the package says, and their parts have their names", () => {
  const announced = skipDecode.plugins.map(({ name, kind, specification, guarantee }) => ({
    name,
    kind,
    specification,
    guarantee,
  }));
  expect(announced).toEqual(manifest.foretoken);
  expect(registry.compose("schedule", "skip-decode").name).toBe("skip-decode");
  expect(registry.compose("source", { use: "skip-decode-draft", factor: 1.5 }).name).toBe(
    "skip-decode-draft",
  );
});

test("from JSON, in a decoder's place and inside one", () => {
  const json = { use: "skip-decode", maxLayers: 26, minLayers: 14, origin: "absolute", promptLayers: "max" };
  expect(registry.compose("decoder", json).guarantee().level).toBe("altered");
  expect(registry.compose("decoder", { use: "plain", schedule: json }).schedule!.name).toBe("skip-decode");
});

test("promises the model's own text only where nothing can be left out", () => {
  const level = (options: object) =>
    registry.compose("decoder", { use: "skip-decode", ...options }).guarantee().level;
  expect([level({}), level({ factor: 1 }), level({ factor: 1, maxLayers: 30 })]).toEqual([
    "altered",
    "identical",
    "altered",
  ]);
});

test.each([
  { factor: 0.9 },
  { minLayers: 0 },
  { buckets: 0 },
  { buckets: 9 },
  { length: 0 },
  { warmupLayers: 0 },
  { origin: "prompt" },
  { layers: 3 },
])("refuses %j", (options) => {
  for (const [kind, use] of [
    ["schedule", "skip-decode"],
    ["source", "skip-decode-draft"],
  ] as const) {
    expect(() => registry.compose(kind, { use, ...options })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  }
});
