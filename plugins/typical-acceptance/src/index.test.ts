import { createRegistry, generate } from "@foretoken/core";
import { randomDrafter, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as index from "./index.ts";

const registry = createRegistry();
registry.register(index.plugin);

test("exports the factory and the plugin", () => {
  expect(Object.keys(index).sort()).toEqual(["default", "plugin", "typicalAcceptance"]);
  expect(index.default).toBe(index.plugin);
});

test("the plugin is what its package says", () => {
  const { name, kind, specification, guarantee } = index.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
});

test("is built from JSON", async () => {
  const model = scriptedModel({ vocabularySize: 6, next: (text) => text.length % 6 });
  for (const verifier of ["typical-acceptance", { use: "typical-acceptance", mode: "typical", alpha: 0.5 }]) {
    const drafters = [randomDrafter({ seed: 1, vocabularySize: 6 })];
    const decoder = registry.compose("decoder", { use: "speculative", drafters, verifier });
    expect(decoder.guarantee().level).toBe("altered");
    const { report } = await generate(model, { prompt: [0], decoder, maxTokens: 20 });
    expect(report.drafted).toBeGreaterThan(5);
  }
});

test("the guarantee resolves upward where nothing is cut", () => {
  const level = (json: object) =>
    registry.compose("verifier", { use: "typical-acceptance", ...json }).guarantee().level;
  expect(level({ mode: "typical", epsilon: 0 })).toBe("identical");
  expect(level({ mode: "typical", alpha: 0 })).toBe("identical");
  expect(level({ mode: "typical" })).toBe("altered");
  expect(level({ epsilon: 0 })).toBe("altered");
});

test.each([
  [{ epsilon: -0.1 }, /epsilon/],
  [{ epsilon: 1.1 }, /epsilon/],
  [{ alpha: 1 }, /alpha/],
  [{ alpha: -1 }, /alpha/],
  [{ mode: "sampled" }, /mode/],
  [{ delta: 0.5 }, /delta/],
])("refuses the options %j", (options, message) => {
  expect(() => registry.compose("verifier", { use: "typical-acceptance", ...options })).toThrow(message);
});
