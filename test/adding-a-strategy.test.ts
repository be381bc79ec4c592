import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createRegistry, generate } from "@foretoken/core";
import { scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import { followLast, plugin } from "../examples/follow-last.ts";

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), "utf8");

test("the page quotes code that is compiled and run", () => {
  const page = read("docs/adding-a-strategy.md");
  const quotes = [...page.matchAll(/From `([\w./-]+)`:\n\n```ts\n([\s\S]*?)```/g)];
  expect(quotes.map(([, path]) => path)).toEqual([
    "examples/follow-last.ts",
    "test/follow-last.test.ts",
    "examples/custom-drafter.ts",
  ]);
  for (const [, path, code] of quotes) {
    expect(read(path!)).toContain(code!);
  }
});

test("the drafter has at most 40 lines, imports and plugin not counted", () => {
  const [, code] = read("examples/follow-last.ts").split('from "zod";\n');
  const [drafter] = code!.split("export const plugin");
  const lines = drafter!.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("/**"));
  expect(lines.length).toBeLessThanOrEqual(40);
});

test("from JSON, it drafts what a repeating text goes on with", async () => {
  const registry = createRegistry();
  registry.register(plugin);
  const model = scriptedModel({ vocabularySize: 4, next: (tokens) => (tokens.at(-1)! + 1) % 4 });
  const { tokens, report } = await generate(model, {
    prompt: [0, 1, 2, 3, 0],
    decoder: registry.compose("decoder", { use: "follow-last", length: 3 }),
    maxTokens: 9,
  });
  expect(tokens).toEqual([1, 2, 3, 0, 1, 2, 3, 0, 1]);
  expect(report.targetPasses).toBe(2);
  expect(report.bySource["follow-last"]).toEqual({ drafted: 6, accepted: 6 });
});

test("its factory refuses what the registry refuses", () => {
  expect(() => followLast({ length: 0 })).toThrow("Option length of follow-last is 0");
});
