import {
  type Decoder,
  type GenerateOptions,
  generate,
  type LayerSchedule,
  plain,
  speculative,
} from "@foretoken/core";
import { randomDrafter, randomLaw, type ScriptedModel, scriptedModel } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import type { SkipDecodeOptions } from "./options.ts";
import { skipDecode } from "./skip-decode.ts";

const LAYERS = 8;
const law = randomLaw({ seed: 4, vocabularySize: 6, order: 2 });
const newModel = () => scriptedModel({ vocabularySize: 6, law, layers: LAYERS, record: true });
const PROMPT = [0, 1, 2, 3, 4, 5];
const RAMP: SkipDecodeOptions = { maxLayers: 8, minLayers: 3, warmupLayers: 1, length: 12, buckets: 4 };
const ANSWER = { prompt: PROMPT, maxTokens: 24, ignoreEnd: true, temperature: 0.8, seed: 3 };

const ask = (model: ScriptedModel, decoder: Decoder, options: Partial<GenerateOptions> = {}) =>
  generate(model, { ...ANSWER, decoder, ...options });
const skipping = (options = RAMP) => plain({ schedule: skipDecode(options) });

describe("under a schedule", () => {
  test("a text costs the layers that can be told before it is written", async () => {
    const model = newModel();
    const session = model.createSession();
    await ask(model, skipping(), { session });
    const ran = session.tokens.map(
      (_, position) => session.layersAt(position)?.filter(Boolean).length ?? LAYERS,
    );
    // 23 generated tokens are fed: three in each of the buckets of 8, 6, 5, and the rest in the last.
    expect(ran).toEqual([8, 8, 8, 8, 8, 8, 8, 8, 8, 6, 6, 6, 5, 5, 5, ...new Array(14).fill(3)]);
    expect(ran.reduce((sum, layers) => sum + layers, 0)).toBe(9 * 8 + 3 * 6 + 3 * 5 + 14 * 3);
  });

  test("the text is another, from the first token that lacks layers on", async () => {
    const [skipped, whole] = [await ask(newModel(), skipping()), await ask(newModel(), plain())];
    // The token behind three full ones is drawn from the last row with all layers.
    expect(skipped.tokens.slice(0, 4)).toEqual(whole.tokens.slice(0, 4));
    expect(skipped.tokens).not.toEqual(whole.tokens);
    expect(skipped.guarantee.level).toBe("altered");
  });

  test.each<SkipDecodeOptions>([
    { factor: 1 },
    { minLayers: LAYERS, maxLayers: LAYERS },
    { minLayers: LAYERS, promptLayers: "max", origin: "absolute" },
  ])("that leaves nothing out, the text is plain decoding's: %j", async (options) => {
    expect((await ask(newModel(), skipping(options))).tokens).toEqual(
      (await ask(newModel(), plain())).tokens,
    );
  });

  test.each<SkipDecodeOptions>([
    RAMP,
    { ...RAMP, maxLayers: 6 },
    { ...RAMP, maxLayers: 6, promptLayers: "max" },
    { ...RAMP, origin: "absolute", promptLayers: "max", maxLayers: 7 },
    { ...RAMP, length: 1 },
    { ...RAMP, buckets: 8, length: 5 },
  ])("drafts and chunked prompts change nothing: %j", async (options) => {
    const expected = await ask(newModel(), skipping(options));
    const model = newModel();
    const drafted = speculative({
      drafters: randomDrafter({ seed: 5, vocabularySize: 6, defaultLimit: 9 }),
      schedule: skipDecode(options),
    });
    const { tokens, report } = await ask(model, drafted, { prefillChunk: 4 });
    expect(tokens).toEqual(expected.tokens);
    expect(report.accepted).toBeGreaterThan(0);
    expect(model.inspection).toMatchObject({ liveSessions: 0, liveSlots: 0, pendingRows: 0 });
  });

  test("a model with too few layers is refused before anything runs", async () => {
    const model = scriptedModel({ vocabularySize: 6, law, layers: 2 });
    await expect(ask(model, skipping())).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("was told to run 8 layers"),
    });
    expect(model.inspection.passes).toBe(0);
  });
});

describe("the cache has no holes", () => {
  /** A schedule by a random walk over sets, each inside the one before, or not. */
  const wandering = (seed: number, isShrinking: boolean): LayerSchedule => ({
    name: "wandering",
    guarantee: () => ({ level: "altered", reasons: ["a test"] }),
    plan: () => {
      const bit = (at: number) => (Math.imul(seed * 131 + at, 2_654_435_761) >>> 16) % 3 === 0;
      const sets = [new Array<boolean>(LAYERS).fill(true)];
      for (let stage = 1; stage < 6; stage++) {
        const above = isShrinking ? sets.at(-1)! : sets[0]!;
        sets.push(above.map((runs, layer) => runs && !bit(stage * LAYERS + layer)));
      }
      const length = 3 + (seed % 4);
      const stage = (position: number) => Math.min(5, Math.floor(position / length));
      return {
        layersAt: (position) => sets[stage(position)],
        nextChange: (position) => (stage(position) === 5 ? Infinity : (stage(position) + 1) * length),
      };
    },
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "under a schedule that only shrinks, whatever it is: %d",
    async (seed) => {
      const schedule = wandering(seed, true);
      const drafters = randomDrafter({ seed, vocabularySize: 6 });
      const expected = await ask(newModel(), plain({ schedule }));
      expect((await ask(newModel(), speculative({ drafters, schedule }))).tokens).toEqual(expected.tokens);
    },
  );

  test.each([1, 2, 3])("and a schedule that grows again is found out: %d", async (seed) => {
    const model = newModel();
    const answer = ask(model, plain({ schedule: wandering(seed, false) }));
    await expect(answer).rejects.toMatchObject({ code: "CACHE_HOLE" });
    expect(model.inspection).toMatchObject({ liveSessions: 0, pendingRows: 0 });
  });
});

describe("the next answer of a session", () => {
  const next = (answer: readonly number[]) => [...PROMPT, ...answer, 2, 1, 0];

  test("runs again what the last one ran with fewer layers, and is what a fresh session writes", async () => {
    const [decoder, model] = [skipping(), newModel()];
    const session = model.createSession();
    const first = await ask(model, decoder, { session });
    const prompt = next(first.tokens);
    const second = await ask(model, decoder, { session, prompt });
    // The prompt and the first bucket had all layers.
    expect(second.usage.cachedTokens).toBe(PROMPT.length + 3);
    expect(second.tokens).toEqual((await ask(newModel(), decoder, { prompt })).tokens);
  });

  test("by another decoder, too", async () => {
    const model = newModel();
    const session = model.createSession();
    const prompt = next((await ask(model, skipping(), { session })).tokens);
    const drafted = speculative({ drafters: randomDrafter({ seed: 1, vocabularySize: 6 }) });
    const { tokens, usage } = await ask(model, drafted, { session, prompt });
    expect(usage.cachedTokens).toBe(PROMPT.length + 3);
    expect(tokens).toEqual((await ask(newModel(), plain(), { prompt })).tokens);
  });

  test("keeps nothing of a prompt that ran other layers than it would", async () => {
    const thin = skipping({ ...RAMP, maxLayers: 6, promptLayers: "max" });
    const model = newModel();
    const session = model.createSession();
    await ask(model, plain(), { session });
    const again = await ask(model, thin, { session });
    expect(again.usage.cachedTokens).toBe(0);
    expect(again.tokens).toEqual((await ask(newModel(), thin)).tokens);
    expect((await ask(model, thin, { session })).usage.cachedTokens).toBe(PROMPT.length - 1);
  });
});

test("sessions under one schedule share passes where their layers are the same", async () => {
  const model = newModel();
  const answers = [1, 2, 3, 4].map((first) =>
    ask(model, skipping(), { prompt: [first, 0, 0], temperature: 0 }),
  );
  const texts = (await Promise.all(answers)).map(({ tokens }) => tokens);
  expect(model.inspection.passes).toBe(24);
  for (const [index, first] of [1, 2, 3, 4].entries()) {
    const alone = await ask(newModel(), skipping(), { prompt: [first, 0, 0], temperature: 0 });
    expect(texts[index]).toEqual(alone.tokens);
  }
});
