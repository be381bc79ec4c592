import { createRegistry, generate, rejection, speculative } from "@foretoken/core";
import { randomDrafter, scriptedModel } from "@foretoken/testing";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import * as index from "./index.ts";

const { cntp } = index;
const registry = createRegistry();
registry.register(index.plugin);
const drafters = randomDrafter({ seed: 1, vocabularySize: 6 });

test("exports the factory, the vote and the plugin", () => {
  expect(Object.keys(index).sort()).toEqual(["cntp", "default", "plugin", "selfConsistency"]);
  expect(index.default).toBe(index.plugin);
});

test("the plugin is what its package says", () => {
  const { name, kind, specification, guarantee } = index.plugin;
  expect({ name, kind, specification, guarantee }).toEqual(manifest.foretoken);
});

test("is built from JSON around any decoder", async () => {
  const model = () =>
    scriptedModel({
      vocabularySize: 6,
      law: (tokens) => [1, 2, 3, 1, tokens.length % 4, 2],
      tokenizer: { texts: ["a", "b", ".", "c", ",", "d"] },
    });
  const answer = async (decoder: ReturnType<typeof cntp>) =>
    (await generate(model(), { prompt: [0], decoder, temperature: 1, seed: 3, maxTokens: 20 })).tokens;
  const expected = await answer(cntp({ maxTrials: 4 }));
  for (const json of [
    { use: "cntp", maxTrials: 4 },
    { use: "cntp", maxTrials: 4, decoder: "plain" },
    { use: "cntp", maxTrials: 4, decoder: { use: "speculative", drafters: [drafters] } },
    { use: "cntp", maxTrials: 4, decoder: [drafters], execution: "sequential", punctuation: "text" },
    { use: "cntp", maxTrials: 4, decoder: { use: "cntp", maxTrials: 1 }, punctuation: [2, 4] },
  ]) {
    const decoder = registry.compose("decoder", json);
    expect([decoder.name, decoder.guarantee().level]).toEqual(["cntp", "altered"]);
    expect(await answer(decoder), JSON.stringify(json)).toEqual(expected);
  }
});

test("the guarantee resolves upward to the inner decoder's", () => {
  const drawn = speculative({ drafters, verifier: rejection() });
  expect(cntp({ maxTrials: 1 }).guarantee().level).toBe("identical");
  expect(cntp({ maxTrials: 1, decoder: drawn }).guarantee().level).toBe("distribution");
  expect(cntp({ maxTrials: 1, decoder: cntp() }).guarantee().level).toBe("altered");
  expect(cntp({ maxTrials: 2 }).guarantee()).toMatchObject({ level: "altered", reasons: { length: 2 } });
});

test("asks for what its inner decoder asks", () => {
  const model = scriptedModel({ next: () => 0 });
  expect(cntp().requirements(model)).toEqual({ gates: false });
  expect(cntp({ decoder: speculative({ drafters }) }).requirements(model)).toMatchObject({ tree: true });
});

test("needs a tokenizer to find punctuation with, unless tokens are named", () => {
  const model = scriptedModel({ next: () => 0, tokenizer: false });
  for (const punctuation of ["ids", "text"] as const) {
    expect(cntp({ punctuation }).unsupported(model)).toEqual([expect.stringContaining("no tokenizer")]);
  }
  expect(cntp({ punctuation: [1] }).unsupported(model)).toEqual([]);
  expect(cntp({ maxTrials: 1 }).unsupported(model)).toEqual([]);
});

test.each([
  [{ minEntropy: 1.5 }, /maxEntropy/],
  [{ minEntropy: 2, maxEntropy: 1 }, /more than minEntropy/],
  [{ minEntropy: -1 }, /minEntropy/],
  [{ maxTrials: 0 }, /maxTrials/],
  [{ maxTrials: 2.5 }, /maxTrials/],
  [{ formula: "figure" }, /formula/],
  [{ punctuation: "marks" }, /punctuation/],
  [{ punctuation: [-1] }, /punctuation/],
  [{ execution: "batched" }, /execution/],
  [{ maxTrialTokens: -1 }, /maxTrialTokens/],
  [{ exploreTemperature: 0 }, /exploreTemperature/],
  [{ onTrials: 3 }, /onTrials/],
  [{ decoder: "rejection" }, /must be a decoder/],
  [{ hmax: 1 }, /hmax/],
])("refuses the options %#", (options, message) => {
  expect(() => registry.compose("decoder", { use: "cntp", ...options })).toThrow(message);
});
