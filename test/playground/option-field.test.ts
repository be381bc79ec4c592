import { createRegistry, definePlugin } from "@foretoken/core";
import { expect, test } from "vitest";
import { z } from "zod";
import { inWords, optionFields } from "../../examples/playground/src/form/option-field.ts";
import { asParts, newPart, withOption } from "../../examples/playground/src/form/part-edit.ts";
import { FIRST_DECODER, PRESETS, playgroundRegistry } from "../../examples/playground/src/parts.ts";

const registry = playgroundRegistry();
const controlsOf = (name: string) =>
  Object.fromEntries(
    optionFields(registry.describe(name).options).map((field) => [field.name, field.control]),
  );

test("a part or a list of parts is asked for as a list", () => {
  expect(controlsOf("speculative")).toEqual({
    drafters: { type: "parts", kind: "drafter" },
    verifier: { type: "part", kind: "verifier" },
    budget: { type: "part", kind: "budget" },
    schedule: { type: "part", kind: "schedule" },
  });
});

test("numbers have their bounds, and defaults are told and not filled in", () => {
  const [field] = optionFields(registry.describe("prompt-lookup").options);
  expect(field).toEqual({
    name: "minNgram",
    label: "Min ngram",
    help: "Tokens an earlier place must share with the end of the text",
    isRequired: false,
    preset: 1,
    control: { type: "number", isWhole: true, least: 1, most: 64 },
  });
  expect(newPart(registry, "prompt-lookup")).toEqual({ use: "prompt-lookup" });
});

test("what is none of the simple types is asked for as JSON, and what only a program can pass is left out", () => {
  expect(controlsOf("fixed")).toEqual({ nodes: { type: "json" } });
  expect(controlsOf("token-recycling")).toMatchObject({
    template: { type: "json" },
    seedFromPrompt: { type: "switch" },
    store: { type: "text" },
  });
});

test("choices, texts, and plugins whose library has no JSON Schema", () => {
  const own = createRegistry();
  const options = z.strictObject({ mode: z.enum(["near", "far"]), note: z.string().optional() });
  const create = () => ({
    name: "own",
    start: () => ({ split: () => [], observe: () => {}, fork: () => never() }),
  });
  own.register(
    definePlugin({ specification: "v1", kind: "budget", name: "own", summary: "A test.", options, create }),
  );
  expect(optionFields(own.describe("own").options)).toMatchObject([
    { name: "mode", isRequired: true, control: { type: "choice", values: ["near", "far"] } },
    { name: "note", isRequired: false, control: { type: "text" } },
  ]);
  expect(optionFields(undefined)).toEqual([]);
});

test("a new part brings what it requires, complete where some part is", () => {
  expect(newPart(registry, "rsd")).toEqual({ use: "rsd", source: { use: "layer-skip" } });
  for (const { name, kind } of registry.list()) {
    if (kind !== "decoder" && kind !== "drafter") continue;
    expect(() => registry.compose("decoder", newPart(registry, name, PRESETS)), name).not.toThrow();
  }
  expect(newPart(registry, "ppd", PRESETS)).toEqual({ use: "ppd", head: "smollm2-ppd" });
  expect(optionFields(registry.describe("ppd").options)[0]).toMatchObject({
    name: "head",
    control: { type: "text" },
  });
  expect(registry.compose("decoder", FIRST_DECODER).guarantee().level).toBe("identical");
});

test("an option is set and taken away, and names stand for parts", () => {
  const part = withOption({ use: "rsd" }, "width", 2);
  expect(part).toEqual({ use: "rsd", width: 2 });
  expect(withOption(part, "width", undefined)).toEqual({ use: "rsd" });
  expect(asParts(["a", { use: "b" }, 3])).toEqual([{ use: "a" }, { use: "b" }]);
  expect(asParts("a")).toEqual([{ use: "a" }]);
  expect(asParts(undefined)).toEqual([]);
  expect(inWords("candidatesPerToken")).toBe("Candidates per token");
});

function never(): never {
  throw new Error("nothing is run");
}
