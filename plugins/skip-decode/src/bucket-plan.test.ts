import type { LayerPlan } from "@foretoken/core";
import { describe, expect, test } from "vitest";
import { BucketPlan } from "./bucket-plan.ts";
import { LayerBuckets } from "./layer-buckets.ts";
import { optionsSchema, type SkipDecodeOptions } from "./options.ts";

const LAYERS = 12;
const planOf = (options: SkipDecodeOptions, promptTokens: number) => {
  const read = optionsSchema.parse({ warmupLayers: 1, ...options });
  return new BucketPlan(new LayerBuckets(read, LAYERS), read, promptTokens);
};
const kept = (plan: LayerPlan, position: number) => plan.layersAt(position)?.filter(Boolean).length ?? LAYERS;
const counts = (plan: LayerPlan, positions: number) =>
  Array.from({ length: positions }, (_, position) => kept(plan, position));

const RAMP = { maxLayers: 10, minLayers: 4, length: 6, buckets: 3 } as const;

describe("where layers leave", () => {
  test("counted from the end of the prompt, which runs all layers", () => {
    expect(counts(planOf(RAMP, 3), 12)).toEqual([12, 12, 12, 10, 10, 7, 7, 4, 4, 4, 4, 4]);
  });

  test("or the most that an answer runs", () => {
    expect(counts(planOf({ ...RAMP, promptLayers: "max" }, 3), 8)).toEqual([10, 10, 10, 10, 10, 7, 7, 4]);
  });

  test("counted from the first token of all, a long prompt leaves an answer few layers", () => {
    const absolute = { ...RAMP, origin: "absolute", promptLayers: "max" } as const;
    expect(counts(planOf(absolute, 1), 8)).toEqual([10, 10, 7, 7, 4, 4, 4, 4]);
    expect(counts(planOf(absolute, 3), 8)).toEqual([10, 10, 10, 7, 4, 4, 4, 4]);
    expect(counts(planOf(absolute, 5), 8)).toEqual([10, 10, 10, 10, 10, 4, 4, 4]);
  });

  test("a length of one token leaves one step: the fewest from the start", () => {
    expect(counts(planOf({ ...RAMP, length: 1 }, 2), 5)).toEqual([12, 12, 10, 4, 4]);
    expect(counts(planOf({ ...RAMP, buckets: 1 }, 2), 5)).toEqual([12, 12, 4, 4, 4]);
  });

  test("nowhere, when as many layers run at the end as there are", () => {
    const plan = planOf({ factor: 1 }, 2);
    expect([plan.layersAt(0), plan.layersAt(999), plan.nextChange(0)]).toEqual([
      undefined,
      undefined,
      Infinity,
    ]);
  });
});

test("the next change is the first position with other layers, and sets only shrink, for all sorts of plans", () => {
  for (let seed = 0; seed < 400; seed++) {
    const pick = (from: number, to: number, salt: number) =>
      from + ((Math.imul(seed * 7 + salt, 2_654_435_761) >>> 8) % (to - from + 1));
    const minLayers = pick(2, LAYERS, 1);
    const options: SkipDecodeOptions = {
      minLayers,
      maxLayers: pick(minLayers, LAYERS, 2),
      length: pick(1, 20, 3),
      buckets: pick(1, 8, 4),
      origin: seed % 2 === 0 ? "generated" : "absolute",
      promptLayers: seed % 3 === 0 ? "max" : "all",
    };
    const plan = planOf(options, pick(1, 15, 5));
    for (let position = 0; position < 40; position++) {
      const here = plan.layersAt(position);
      let change = position + 1;
      while (change < 60 && kept(plan, change) === kept(plan, position)) change++;
      expect(plan.nextChange(position), JSON.stringify(options)).toBe(change === 60 ? Infinity : change);
      const next = plan.layersAt(position + 1);
      const all = new Array<boolean>(LAYERS).fill(true);
      expect((next ?? all).every((runs, layer) => !runs || (here ?? all)[layer])).toBe(true);
    }
  }
});
