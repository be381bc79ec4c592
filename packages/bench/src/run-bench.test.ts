import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Answer, Contestant } from "./contestant.ts";
import type { BenchPrompt } from "./prompts.ts";
import { runBench } from "./run-bench.ts";
import { runOrder } from "./run-order.ts";

const prompts: BenchPrompt[] = ["a", "b", "c", "d"].map((id) => ({ id, group: "chat", text: id }));
const answer: Answer = {
  tokens: [1, 2],
  promptTokens: 3,
  finish: "length",
  tokensPerSecond: 10,
  timeToFirstTokenMs: 1,
};

/** Contestants that write down when they were asked. */
function recorded(names: readonly string[], log: string[], failAt = Number.POSITIVE_INFINITY): Contestant[] {
  return names.map((name) => ({
    name,
    answer: async (prompt, { maxTokens }) => {
      if (maxTokens === 8) return answer;
      if (log.length === failAt) throw new Error("the machine was switched off");
      log.push(`${prompt.id}:${name}`);
      return answer;
    },
  }));
}

test("each contestant is first, second and third equally often", () => {
  const rounds = runOrder(["x", "y", "z"], prompts.slice(0, 3), 2);
  for (const place of [0, 1, 2]) {
    const counts = ["x", "y", "z"].map((name) => rounds.filter(({ order }) => order[place] === name).length);
    expect(counts).toEqual([2, 2, 2]);
  }
});

test("contestants are interleaved prompt by prompt, in turning order", async () => {
  const log: string[] = [];
  await runBench({ contestants: recorded(["x", "y"], log), prompts: prompts.slice(0, 2), repeats: 2 });
  expect(log).toEqual(["a:x", "a:y", "b:y", "b:x", "a:y", "a:x", "b:x", "b:y"]);
});

test("a run that broke off goes on behind its last whole round, and leaves no other file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "foretoken-bench-"));
  const resume = join(folder, "partial.json");
  const broken: string[] = [];
  const first = runBench({ contestants: recorded(["x", "y"], broken, 5), prompts, resume });
  await expect(first).rejects.toThrow("switched off");
  expect(await readdir(folder)).toEqual(["partial.json"]);

  const log: string[] = [];
  const progress: number[] = [];
  const { measurements } = await runBench({
    contestants: recorded(["x", "y"], log),
    prompts,
    resume,
    onProgress: ({ done }) => progress.push(done),
  });
  expect(log).toEqual(["c:x", "c:y", "d:y", "d:x"]);
  expect(progress).toEqual([4, 5, 6, 7]);
  expect(measurements).toHaveLength(8);
});

test("partial results of other options are refused, not mixed in", async () => {
  const folder = await mkdtemp(join(tmpdir(), "foretoken-bench-"));
  const resume = join(folder, "partial.json");
  await runBench({ contestants: recorded(["x"], []), prompts, resume, maxTokens: 16 });
  const kept = await readFile(resume, "utf8");
  const other = runBench({ contestants: recorded(["x"], []), prompts, resume, maxTokens: 32 });
  await expect(other).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining(resume),
  });
  expect(await readFile(resume, "utf8")).toBe(kept);
});

test("a file that holds something else is not overwritten", async () => {
  const folder = await mkdtemp(join(tmpdir(), "foretoken-bench-"));
  const resume = join(folder, "notes.txt");
  await writeFile(resume, "dear diary");
  const run = runBench({ contestants: recorded(["x"], []), prompts, resume });
  await expect(run).rejects.toMatchObject({ code: "INVALID_OPTION" });
  expect(await readFile(resume, "utf8")).toBe("dear diary");
});

test("names must differ and baselines must run", async () => {
  const twice = runBench({ contestants: recorded(["x", "x"], []), prompts });
  await expect(twice).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining("x"),
  });
  const stray = runBench({ contestants: [{ ...recorded(["x"], [])[0]!, baseline: "nobody" }], prompts });
  await expect(stray).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining("nobody"),
  });
});

test("an abort ends the run between two answers", async () => {
  const log: string[] = [];
  const controller = new AbortController();
  const run = runBench({
    contestants: recorded(["x", "y"], log),
    prompts,
    signal: controller.signal,
    onProgress: ({ done }) => done === 3 && controller.abort(),
  });
  await expect(run).rejects.toThrow("aborted");
  expect(log.length).toBeLessThanOrEqual(4);
});
