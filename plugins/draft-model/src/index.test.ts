import { createRegistry } from "@foretoken/core";
import { scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as draftModel from "./index.ts";

const model = scriptedModel({ next: () => 0 });
const registry = createRegistry();
registry.register(draftModel.plugin);

test("exports the factory and the plugin", () => {
  expect(Object.keys(draftModel).sort()).toEqual(["default", "draftModel", "plugin"]);
  expect(draftModel.default).toBe(draftModel.plugin);
});

test("the plugin is what its package says, and its part has its name", () => {
  const { name, kind, specification } = draftModel.plugin;
  expect({ name, kind, specification }).toEqual(manifest.foretoken);
  const source = registry.compose(
    "source",
    { use: "draft-model", model: "small" },
    { resources: { small: model } },
  );
  expect(source.name).toBe("draft-model");
});

test("what is no resource is loaded by the resource loadModel, when it is needed", async () => {
  const asked: unknown[] = [];
  const loadModel = async (name: string, options: unknown) => {
    asked.push(name, options);
    return model;
  };
  const source = registry.compose(
    "source",
    { use: "draft-model", model: "./small.gguf" },
    { resources: { loadModel } },
  );
  expect(asked).toEqual([]);
  const { signal } = new AbortController();
  await source.prepare!(model, { signal });
  expect(asked).toEqual(["./small.gguf", { signal }]);
});

test("a name that nothing can load says what there is", () => {
  expect(() =>
    registry.compose("source", { use: "draft-model", model: "small" }, { resources: { other: model } }),
  ).toThrow(
    expect.objectContaining({
      code: "INVALID_OPTION",
      message: 'model of draft-model is "small", but the resources are: other.',
    }),
  );
});

test("a model must be named or given", () => {
  expect(() => registry.compose("source", "draft-model")).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION" }),
  );
});
