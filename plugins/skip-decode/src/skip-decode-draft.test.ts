import { generate, plain, speculative } from "@foretoken/core";
import { sourceDrafter } from "@foretoken/drafting";
import { randomLaw, scriptedModel, testSource } from "@foretoken/testing";
import { expect, test } from "vitest";
import type { SkipDecodeOptions } from "./options.ts";
import { skipDecodeDraft } from "./skip-decode-draft.ts";

const RAMP: SkipDecodeOptions = { minLayers: 2, warmupLayers: 1, length: 6, buckets: 3 };

// Counted from the first token, laws depend on the text alone; counted from the prompt's end, also on where that was.
testSource("skip-decode-draft", () => skipDecodeDraft({ ...RAMP, origin: "absolute" }), { draws: 3_000 });

const law = randomLaw({ seed: 9, vocabularySize: 6 });
const newModel = () => scriptedModel({ vocabularySize: 6, law, layers: 6, layerNoise: 1 });

/** One drafted token. */
const drafting = (options: SkipDecodeOptions) =>
  sourceDrafter({
    name: "one",
    source: skipDecodeDraft(options),
    defaultLimit: 1,
    passes: () => 1,
    warp: { greedyTemperature: 0 },
    grow: async ({ tree, expand, uniform, name }) => {
      const [next] = await expand([0]);
      if (next !== undefined) tree.add(0, next.draw(uniform()), next, name);
    },
  });

const accepted = async (options: SkipDecodeOptions) => {
  const model = newModel();
  const answer = { prompt: [1, 2, 3], maxTokens: 40, temperature: 0 };
  const { tokens, report } = await generate(model, {
    ...answer,
    decoder: speculative({ drafters: drafting(options) }),
  });
  expect(tokens).toEqual((await generate(newModel(), { ...answer, decoder: plain() })).tokens);
  expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0 });
  return report.accepted / report.drafted;
};

test("drafts with fewer and fewer layers; the text stays the target's own", async () => {
  expect(await accepted({ factor: 1 })).toBe(1);
  const short = await accepted(RAMP);
  expect(short).toBeLessThan(1);
  expect(short).toBeGreaterThan(0.1);
});

test("counts from the end of the prompt", async () => {
  // Nothing is left out before the hundredth generated token.
  const late = { ...RAMP, buckets: 2, length: 200 };
  expect(await accepted(late)).toBe(1);
  expect(await accepted({ ...late, origin: "absolute", length: 20 })).toBeLessThan(1);
});

test("says what does not fit, and what a pass costs", () => {
  const model = newModel();
  expect(skipDecodeDraft({ maxLayers: 7 }).unsupported!(model)).toEqual([
    expect.stringContaining("skip-decode-draft was told to run 7 layers"),
  ]);
  expect(skipDecodeDraft({ factor: 1 }).passCost!(model)).toBeCloseTo(1);
  expect(skipDecodeDraft({ maxLayers: 4, minLayers: 2 }).passCost!(model)).toBeCloseTo(0.6);
});
