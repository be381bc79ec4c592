import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadedModel, loadModel } from "@foretoken/runtime";
import { createWorkerModel, serveModel, type WorkerModel } from "@foretoken/runtime/worker";
import { tinyGguf } from "@foretoken/testing";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { FIRST_DECODER, PLAIN, playgroundRegistry } from "../../examples/playground/src/parts.ts";
import { acceptanceOf } from "../../examples/playground/src/run/acceptance.ts";
import { outcomeOf } from "../../examples/playground/src/run/compare-runs.ts";
import { followGeneration } from "../../examples/playground/src/run/follow-generation.ts";
import { newRun, type RunRequest, textOf } from "../../examples/playground/src/run/run.ts";
import { runJson } from "../../examples/playground/src/run/run-json.ts";
import { runSnippet } from "../../examples/playground/src/run/run-snippet.ts";
import { sourceMark, sourceShares } from "../../examples/playground/src/run/token-source.ts";

const folder = mkdtempSync(join(tmpdir(), "playground-run-"));
const file = join(folder, "tiny.gguf");
let model: WorkerModel;

/** The page's model, with the worker at the other end of a channel in this process. */
beforeAll(async () => {
  writeFileSync(file, tinyGguf(7, { contextLength: 512 }));
  const { port1, port2 } = new MessageChannel();
  const load = (): Promise<LoadedModel> => loadModel(file, { device: "cpu", dtype: "fp32" });
  serveModel({ registry: playgroundRegistry(), port: port2, load });
  model = await createWorkerModel(port1, { source: file });
});

afterAll(async () => {
  await model.dispose();
  rmSync(folder, { recursive: true });
});

afterEach(() => vi.restoreAllMocks());

const request: RunRequest = {
  messages: [{ role: "user", content: "the cat sat on the mat, the cat sat" }],
  decoder: FIRST_DECODER,
  sampling: { maxTokens: 40, temperature: 0.2, topK: 4, seed: 5 },
};

async function finished(wanted: Partial<RunRequest> = {}) {
  const run = newRun(model.info, { ...request, ...wanted });
  const { messages, decoder, sampling } = run.request;
  await followGeneration(run, model.generate({ messages, decoder, ...sampling }));
  return run;
}

test("a run holds every token once, with its text, source and pass", async () => {
  const run = await finished();
  const status = run.status.value;
  if (status.is !== "done") throw new Error(`The run is ${status.is}.`);
  const { generation } = status;
  const passes = run.passes.value;
  expect(passes.flatMap(({ tokens }) => tokens)).toEqual(generation.tokens);
  expect(passes.flatMap(({ pieces }) => pieces).join("")).toBe(generation.text);
  expect(textOf(run)).toBe(generation.text);
  expect(passes[0]!.step).toBeUndefined();
  expect(passes.length - 1).toBe(generation.report.targetPasses);
  expect(acceptanceOf(passes)).toEqual(generation.report.acceptanceByDepth);
  const shares = sourceShares(passes, ["prompt-lookup", "token-recycling"]);
  expect(shares.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(generation.tokens.length);
});

test("a decoder that tries several continuations shows the passes of those it kept", async () => {
  const decoder = { use: "cntp", maxTrials: 3, maxTrialTokens: 6, minEntropy: 0, maxEntropy: 0.1 };
  const run = await finished({ decoder });
  const status = run.status.value;
  if (status.is !== "done") throw new Error(`The run is ${status.is}.`);
  const passes = run.passes.value;
  expect(passes.flatMap(({ tokens }) => tokens)).toEqual(status.generation.tokens);
  expect(passes.slice(1).every(({ tokens, step }) => step?.tokens.length === tokens.length)).toBe(true);
  expect(status.generation.report.targetPasses).toBeGreaterThan(passes.length);
});

test("a failure becomes the run's status", async () => {
  const run = await finished({ sampling: { temperature: -1 } });
  expect(run.status.value).toMatchObject({ is: "failed", error: { code: "INVALID_OPTION" } });
  expect(runJson(run)).toBeUndefined();
});

test("a run as JSON says what would give it again", async () => {
  const run = await finished();
  const json = JSON.parse(runJson(run)!);
  expect(json.request).toEqual(request);
  expect(json.model).toMatchObject({ contentHash: model.info.contentHash, device: "cpu", dtype: "fp32" });
  expect(json.passes).toHaveLength(run.passes.value.length);
  expect(json.generation.text).toBe(textOf(run));
});

test("a run as a program gives its text again", async () => {
  const run = await finished();
  const program = runSnippet(run, playgroundRegistry().list());
  expect(program).toContain('import { plugin as promptLookup } from "@foretoken/prompt-lookup";');
  expect(program).toContain('await loadModel("./tiny.gguf", { dtype: "fp32" })');
  // The program looks for the file beside itself; here it lies elsewhere.
  const script = join(folder, "program.ts");
  writeFileSync(script, program.replace('"./tiny.gguf"', JSON.stringify(file)));
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import(/* @vite-ignore */ script);
  expect(log.mock.calls[0]![0]).toBe(textOf(run));
  expect(log.mock.calls[1]![0]).toMatch(/tokens\/s, \d+\.\d\d tokens a pass/);
});

test("a program registers packages of several parts", async () => {
  const decoder = { use: "plain", schedule: { use: "skip-decode", minLayers: 2 } };
  const run = await finished({ decoder });
  expect(run.status.value).toMatchObject({ is: "done" });
  const script = join(folder, "schedule.ts");
  const program = runSnippet(run, playgroundRegistry().list());
  expect(program).toContain("for (const plugin of skipDecode) registry.register(plugin);");
  writeFileSync(script, program.replace('"./tiny.gguf"', JSON.stringify(file)));
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import(/* @vite-ignore */ script);
  expect(log.mock.calls[0]![0]).toBe(textOf(run));
});

test("a program loads the draft models that its decoder names", async () => {
  const source = { use: "draft-model", model: file };
  const run = await finished({ decoder: { use: "speculative", drafters: [{ use: "rsd", source }] } });
  const program = runSnippet(run, playgroundRegistry().list());
  expect(program).toContain("{ resources: { loadModel } }");
  expect(program).toContain('from "@foretoken/draft-model"');
});

test("a program imports the heads that its decoder names", async () => {
  const decoder = { use: "speculative", drafters: [{ use: "ppd", head: "smollm2-ppd" }] };
  const run = await finished({ decoder });
  // It was not trained for this model.
  expect(run.status.value).toMatchObject({ is: "failed" });
  const program = runSnippet(run, playgroundRegistry().list());
  expect(program).toContain('import { smollm2Ppd } from "@foretoken/smollm2-heads";');
  expect(program).toContain('{ resources: { "smollm2-ppd": smollm2Ppd } }');
});

test("a comparison takes medians of whole rounds, and says where texts part", async () => {
  const [plain, chosen, other] = await Promise.all([
    finished({ decoder: PLAIN }),
    finished(),
    finished({ sampling: { ...request.sampling, temperature: 2, topK: 0, seed: 6 } }),
  ]);
  const unfinished = newRun(model.info, request);
  const same = outcomeOf([
    { plain, chosen },
    { plain, chosen: unfinished },
  ])!;
  expect(same).toMatchObject({ rounds: 1, isSameText: true });
  expect(same.speedUp).toBeCloseTo(same.chosen / same.plain);
  expect(outcomeOf([{ plain, chosen: other }])!.isSameText).toBe(false);
  expect(outcomeOf([{ plain: unfinished, chosen: unfinished }])).toBeUndefined();
});

test("a drafter looks the same in every run, and several together have a look of their own", () => {
  const drafters = ["a", "b", "c"];
  expect(sourceMark([], drafters).mark).toBe("own");
  expect(sourceMark(["b"], drafters)).toEqual({ mark: "1", name: "b" });
  expect(sourceMark(["b", "c"], drafters)).toEqual({ mark: "several", name: "b and c" });
  const passes = [{ sources: [[], ["b"], ["b", "a"]] }, { sources: [["b"], []] }];
  expect(sourceShares(passes, drafters).map(({ name, tokens }) => [name, tokens])).toEqual([
    ["the target itself", 2],
    ["b", 2],
    ["b and a", 1],
  ]);
});
