import { measureMemory, measureStartup } from "@foretoken/bench";
import { beforeAll, expect, test } from "vitest";
import { shared } from "../shared.ts";
import { buildCli } from "./build-cli.ts";

const MODEL = shared("fixtures/gguf/llama-small-F16.gguf");

let script: string;

beforeAll(async () => {
  ({ probe: script } = await buildCli("bench-processes-test"));
});

test("a start is measured with an empty cache and with a filled one", async () => {
  const startup = await measureStartup({ model: MODEL, maxTokens: 8, prompt: "hello", script });
  expect(startup.firstLoadMs).toBeGreaterThan(1);
  expect(startup.cachedStartToFirstTokenMs).toBeGreaterThan(startup.cachedLoadMs);
  expect(startup.firstPeakMiB).toBeGreaterThan(20);
});

test("memory is sampled over many answers of one process", async () => {
  const memory = await measureMemory({
    model: MODEL,
    maxTokens: 8,
    prompt: "hello",
    generations: 200,
    script,
  });
  expect(memory.residentMiB).toHaveLength(4);
  expect(memory.peakMiB).toBeGreaterThanOrEqual(Math.max(...memory.residentMiB) - 1);
  expect(Number.isFinite(memory.growthMiB)).toBe(true);
});

test("what the other process throws comes back with its code", async () => {
  const broken = measureStartup({ model: shared("fixtures/broken/truncated-data.gguf"), script });
  await expect(broken).rejects.toMatchObject({ code: "CORRUPT_MODEL" });
});

test("too few answers for a slope are refused before anything runs", async () => {
  const short = measureMemory({ model: MODEL, generations: 100, script: "/no/such/script.js" });
  await expect(short).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining("100"),
  });
});
