import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRegistry, generate, hasCode, rejection, speculative } from "@foretoken/core";
import { randomDrafter, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { scriptedJudge } from "./__fixtures__/scripted-judge.ts";
import * as index from "./index.ts";

const { judge } = index;
const head = scriptedJudge([1], -2);
const registry = createRegistry();
registry.register(index.plugin);

function folderOf(content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), "judge-"));
  writeFileSync(join(folder, "judge.json"), typeof content === "string" ? content : JSON.stringify(content));
  return folder;
}

const model = () => scriptedModel({ vocabularySize: 6, next: (text) => text.length % 6 });
const decoderWith = (options: index.JudgeOptions) =>
  speculative({ drafters: randomDrafter({ seed: 1, vocabularySize: 6 }), verifier: judge(options) });
const answer = (options: index.JudgeOptions, on = model()) =>
  generate(on, { prompt: [0], decoder: decoderWith(options), maxTokens: 12 });

test("exports the factory, the reader of judges and the plugin", () => {
  expect(Object.keys(index).sort()).toEqual(["default", "judge", "loadJudge", "plugin"]);
  expect(index.default).toBe(index.plugin);
});

test("the plugin is what its package says", () => {
  const { name, kind, specification, guarantee } = index.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
});

test("is built from JSON around an inner rule, with its head from the program's resources", async () => {
  for (const [json, resources] of [
    [{ use: "judge", verifier: "rejection", threshold: 0.9 }, { "judge-head": head }],
    [{ use: "judge", verifier: { use: "rejection" }, head: "mine" }, { mine: head }],
    [{ use: "judge", verifier: "rejection", head: "mine" }, { mine: folderOf(head) }],
    [{ use: "judge", head: folderOf(head) }, {}],
    [{ use: "judge", head }, {}],
    [{ use: "judge", control: "divergence", threshold: 0.2 }, {}],
    [{ use: "judge", verifier: { use: "judge", control: "random", threshold: 0.9 }, head }, {}],
  ] as const) {
    const drafters = [randomDrafter({ seed: 1, vocabularySize: 6 })];
    const decoder = registry.compose(
      "decoder",
      { use: "speculative", drafters, verifier: json },
      { resources },
    );
    expect(decoder.guarantee().level).toBe("altered");
    const { report } = await generate(model(), { prompt: [0], decoder, maxTokens: 20 });
    expect(report.drafted).toBeGreaterThan(5);
  }
});

test("the guarantee resolves upward to the inner rule's", () => {
  const level = (json: object) => registry.compose("verifier", { use: "judge", ...json }).guarantee().level;
  expect(level({ threshold: 1 })).toBe("identical");
  expect(level({ threshold: 1, verifier: "rejection" })).toBe("distribution");
  expect(level({ threshold: 1, control: "random" })).toBe("identical");
  expect(level({ threshold: 0.99, control: "random" })).toBe("altered");
  expect(level({ threshold: 1, verifier: { use: "judge", threshold: 0.5, control: "random" } })).toBe(
    "altered",
  );
});

test("a judge is loaded from a folder by path, by address of a file, and once", async () => {
  const folder = folderOf(head);
  expect(await index.loadJudge(folder)).toEqual(head);
  expect(await index.loadJudge(pathToFileURL(folder))).toEqual(head);
  const verifier = judge({ head: folder });
  expect(() => verifier.start()).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
  await verifier.prepare?.(model());
  writeFileSync(join(folder, "judge.json"), "gone");
  await verifier.prepare?.(model());
  expect(verifier.start()).toBeDefined();
});

test("asks for the state behind the last layer, and for what its inner rule asks", () => {
  const inner = { ...rejection(), requirements: () => ({ topK: 3, hidden: ["final" as const] }) };
  expect(judge({ head, verifier: inner }).requirements?.(model())).toEqual({ topK: 3, hidden: ["final", 4] });
  expect(judge({ control: "random", threshold: 0.5 }).requirements?.(model())).toEqual({ hidden: [] });
});

test("refuses a head of other weights, another precision or another width, and says what to do", async () => {
  const base = { file: "other.gguf", sha256: "ab".repeat(32) };
  for (const [other, said] of [
    [{ ...head, base }, "was trained on other.gguf (SHA-256 abababababab…), but scripted has other weights"],
    [{ ...head, dtypes: ["stored"] }, "was checked on states of stored, but scripted runs in fp32"],
    [scriptedJudge([1], 0, 7), "reads states of width 7, but those of scripted have 8"],
  ] as const) {
    for (const given of [other, folderOf(other)]) {
      const error = await answer({ head: given }).catch((reason: unknown) => reason);
      expect(hasCode(error, "UNSUPPORTED")).toBe(true);
      expect(error).toMatchObject({
        message: expect.stringContaining(said),
        fix: expect.stringContaining("trained on the target's weights"),
      });
    }
    await answer({ head: other, threshold: 1 });
  }
});

test.each([
  ["no JSON", "{", "CORRUPT_MODEL", /judge\.json is no judge/],
  ["another kind of head", { ...head, kind: "feature-head" }, "CORRUPT_MODEL", /kind/],
  ["a version to come", { ...head, version: 2 }, "CORRUPT_MODEL", /version/],
  ["weights that are none", { ...head, weight: [1, null] }, "CORRUPT_MODEL", /weight\.1/],
  ["a threshold of 1", { ...head, threshold: 1 }, "CORRUPT_MODEL", /threshold/],
])("a folder with %s is refused", async (_, content, code, message) => {
  await expect(answer({ head: folderOf(content) })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test("a folder without a judge is not found", async () => {
  await expect(answer({ head: join(tmpdir(), "no-such-judge") })).rejects.toMatchObject({
    code: "MODEL_NOT_FOUND",
    message: expect.stringContaining("no-such-judge/judge.json"),
  });
});

test.each([
  [{}, /neither a head nor a control/],
  [{ threshold: 0.5 }, /neither a head nor a control/],
  [{ head, control: "random", threshold: 0.5 }, /got a head and the control random/],
  [{ control: "divergence" }, /without a threshold/],
  [{ control: "coin", threshold: 0.5 }, /control/],
  [{ head, threshold: 1.5 }, /threshold/],
  [{ head, threshold: -0.1 }, /threshold/],
  [{ head: 3 }, /head/],
  [{ head, consecutive: 0 }, /consecutive/],
  [{ head, protect: [-1] }, /protect/],
  [{ head, verifier: "fixed" }, /must be a verifier/],
  [{ head, delta: 0.5 }, /delta/],
])("refuses the options %#", (options, message) => {
  expect(() => registry.compose("verifier", { use: "judge", ...options })).toThrow(message);
});
