import { cntp } from "@foretoken/cntp";
import { type Decoder, type DraftSource, generate, plain, speculative } from "@foretoken/core";
import { layerSkip } from "@foretoken/layer-skip";
import { promptLookup } from "@foretoken/prompt-lookup";
import { skipDecode, skipDecodeDraft } from "@foretoken/skip-decode";
import { speculativeSampling } from "@foretoken/speculative-sampling";
import { tinyModel } from "@foretoken/testing";
import { tokenRecycling } from "@foretoken/token-recycling";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let model: Awaited<ReturnType<typeof tinyModel>>;
beforeAll(async () => {
  model = await tinyModel(6, { layers: 6 });
});
afterAll(() => model.dispose());

const RAMP = { minLayers: 3, warmupLayers: 1, length: 24, buckets: 4 } as const;
const schedule = skipDecode(RAMP);
const PROMPTS = Array.from({ length: 6 }, (_, prompt) =>
  Array.from({ length: 3 + 5 * prompt }, (_, at) => 5 + ((prompt * 31 + (at % 9) * 7) % 80)),
);
const ask = (decoder: Decoder, prompt: readonly number[], temperature = 0) =>
  generate(model, { prompt, decoder, temperature, seed: 5, maxTokens: 40, ignoreEnd: true });
const half: DraftSource = layerSkip({ layers: [0, 2, 3, 5] });

describe("decoders under one schedule write what plain decoding under it writes", () => {
  const decoders: Readonly<Record<string, () => Decoder>> = {
    "prompt lookup": () => speculative({ drafters: promptLookup(), schedule }),
    "token recycling": () => speculative({ drafters: tokenRecycling({ nodes: 6 }), schedule }),
    "both merged": () => speculative({ drafters: [promptLookup(), tokenRecycling({ nodes: 4 })], schedule }),
    "the target with other layers left out": () =>
      speculative({ drafters: speculativeSampling({ source: half, length: 3, temperature: 0 }), schedule }),
    "the target with a steeper schedule": () =>
      speculative({
        drafters: speculativeSampling({
          source: skipDecodeDraft({ ...RAMP, length: 8, minLayers: 2 }),
          length: 3,
          temperature: 0,
        }),
        schedule,
      }),
    "cntp around plain, greedily": () => cntp({ decoder: plain({ schedule }) }),
  };

  test.each(Object.entries(decoders))("%s", async (_, make) => {
    for (const prompt of PROMPTS) {
      const expected = await ask(plain({ schedule }), prompt);
      expect((await ask(make(), prompt)).tokens).toEqual(expected.tokens);
    }
  });

  test("which is not what it writes without", async () => {
    const [under, without] = [await ask(plain({ schedule }), PROMPTS[3]!), await ask(plain(), PROMPTS[3]!)];
    expect(under.tokens).not.toEqual(without.tokens);
  });
});

test("trials of cntp run the layers of the answer they are for", async () => {
  const decoder = () => cntp({ decoder: plain({ schedule }), maxTrials: 3, maxTrialTokens: 6 });
  const session = model.createSession();
  const prompt = PROMPTS[2]!;
  const options = { prompt, temperature: 0.9, seed: 4, maxTokens: 40, ignoreEnd: true };
  await generate(model, { ...options, decoder: decoder(), session });
  const plan = schedule.plan(model, prompt.length);
  for (const [position] of session.tokens.entries()) {
    expect(session.layersAt(position)).toEqual(plan.layersAt(position));
  }
  session.dispose();
});

describe("as a draft, the schedule changes no text", () => {
  test.each(["generated", "absolute"] as const)("with origin %s", async (origin) => {
    const source = skipDecodeDraft({ ...RAMP, minLayers: 4, origin });
    const drafted = speculative({ drafters: speculativeSampling({ source, length: 3, temperature: 0 }) });
    let accepted = 0;
    for (const prompt of PROMPTS) {
      const { tokens, report, guarantee } = await ask(drafted, prompt);
      expect(tokens).toEqual((await ask(plain(), prompt)).tokens);
      expect(guarantee.level).toBe("distribution");
      accepted += report.accepted;
    }
    expect(accepted).toBeGreaterThan(20);
  });
});

describe("prompts at once under one schedule", () => {
  test.each([0, 0.9])("texts are those of one by one, at temperature %d", async (temperature) => {
    const decoder = () => speculative({ drafters: promptLookup(), schedule });
    const alone = [];
    for (const prompt of PROMPTS) alone.push((await ask(decoder(), prompt, temperature)).tokens);
    const together = await Promise.all(PROMPTS.map((prompt) => ask(decoder(), prompt, temperature)));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone);
  });
});
