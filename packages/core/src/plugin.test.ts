import { expect, test } from "vitest";
import { z } from "zod";
import { repeatLastPlugin } from "./__fixtures__/example-plugins.ts";
import { thrown } from "./__fixtures__/thrown.ts";
import { checkPlugin, definePlugin } from "./plugin.ts";

test("returns a frozen plugin", () => {
  expect(Object.isFrozen(repeatLastPlugin)).toBe(true);
  expect(repeatLastPlugin).toMatchObject({ specification: "v1", kind: "drafter", name: "repeat-last" });
});

test.each([
  "",
  "promptLookup",
  "Prompt",
  "-a",
  "a-",
  "a--b",
  "a b",
  "../a",
  "__proto__",
  "a".repeat(65),
  3,
  undefined,
])("refuses the name %j", (name) => {
  const error = thrown(() => checkPlugin({ ...repeatLastPlugin, name }));
  expect(error.code).toBe("INVALID_PLUGIN");
  expect(error.fix).toContain("kebab-case");
});

test("refuses another specification and says which it knows", () => {
  const error = thrown(() => definePlugin({ ...repeatLastPlugin, specification: "v2" as "v1" }));
  expect(error.code).toBe("WRONG_SPECIFICATION");
  expect(error.message).toMatch(/"repeat-last".*"v2".*"v1"/);
});

test.each([
  ["an unknown kind", { kind: "drafters" }, '"drafters"'],
  ["an empty summary", { summary: "" }, 'the summary ""'],
  ["a schema of no standard", { options: { parse: () => ({}) } }, "the options {}"],
  ["no create function", { create: undefined }, "the create undefined"],
])("refuses %s", (_, change, words) => {
  const error = thrown(() => checkPlugin({ ...repeatLastPlugin, ...change }, "@acme/repeat"));
  expect(error.code).toBe("INVALID_PLUGIN");
  expect(error.message).toContain(words);
  expect(error.message).toContain("@acme/repeat");
});

test("refuses what is no object at all", () => {
  for (const value of [undefined, null, "prompt-lookup", 7]) {
    expect(thrown(() => checkPlugin(value)).code).toBe("WRONG_SPECIFICATION");
  }
});

test("takes a schema with no options", () => {
  expect(() => checkPlugin({ ...repeatLastPlugin, options: z.strictObject({}) })).not.toThrow();
});
