import type { LayerSet } from "@foretoken/core";
import { scriptedModel } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { LayerBuckets } from "./layer-buckets.ts";
import { optionsSchema, type SkipDecodeOptions } from "./options.ts";

const bucketsOf = (options: SkipDecodeOptions, layers = 30) =>
  new LayerBuckets(optionsSchema.parse(options), layers);
const all = (buckets: LayerBuckets) => Array.from({ length: buckets.buckets }, (_, bucket) => bucket);
const size = (buckets: LayerBuckets, kept: number) =>
  buckets.set(kept)?.filter(Boolean).length ?? buckets.layers;

const SCHEDULES: readonly SkipDecodeOptions[] = [
  {},
  { factor: 1.5, warmupLayers: 1 },
  { maxLayers: 26, minLayers: 14, warmupLayers: 2, buckets: 3 },
  { maxLayers: 13, minLayers: 7, warmupLayers: 1, buckets: 5 },
  { maxLayers: 30, minLayers: 5, warmupLayers: 4, buckets: 8 },
  { minLayers: 20, buckets: 1 },
];

describe.each(SCHEDULES)("%j", (options) => {
  const buckets = bucketsOf(options);

  test("falls from the most to the fewest layers and never rises", () => {
    const kept = all(buckets).map((bucket) => buckets.kept(bucket));
    if (buckets.buckets > 1) expect(kept[0]).toBe(buckets.most);
    expect(kept.at(-1)).toBe(buckets.fewest);
    expect(kept).toEqual([...kept].sort((left, right) => right - left));
    expect(kept.every(Number.isInteger)).toBe(true);
  });

  test("sets have as many layers as said, the first ones and the last, each inside the one before", () => {
    let above: LayerSet = new Array<boolean>(buckets.layers).fill(true);
    for (const bucket of all(buckets)) {
      const kept = buckets.kept(bucket);
      const set = buckets.set(kept) ?? above.map(() => true);
      expect(size(buckets, kept)).toBe(kept);
      expect(set.slice(0, buckets.warmup)).not.toContain(false);
      expect(set.at(-1)).toBe(true);
      expect(set.every((runs, layer) => !runs || above[layer])).toBe(true);
      above = set;
    }
  });

  test("is at most half a step of buckets from the line of the paper", () => {
    if (buckets.buckets === 1) return;
    const fall = buckets.most - buckets.fewest;
    for (const bucket of all(buckets)) {
      for (let t = buckets.start(bucket); t < buckets.start(bucket + 1); t++) {
        const line = buckets.most - (fall * t) / (buckets.length - 1);
        expect(Math.abs(buckets.kept(bucket) - line)).toBeLessThanOrEqual(fall / (buckets.buckets - 1) + 0.5);
      }
    }
  });
});

test("a factor is all layers by the mean of those that run", () => {
  for (const factor of [1, 1.1, 1.25, 1.5]) {
    const { most, fewest } = bucketsOf({ factor, warmupLayers: 1 });
    expect(60 / (most + fewest)).toBeCloseTo(factor, 1);
  }
  expect(bucketsOf({ factor: 1.5, maxLayers: 26 }).fewest).toBe(14);
});

test("left out behind the first layers, from the bottom up", () => {
  const [yes, no] = [true, false];
  const buckets = bucketsOf({ warmupLayers: 2, minLayers: 4, maxLayers: 6, buckets: 3 }, 7);
  expect(all(buckets).map((bucket) => buckets.set(buckets.kept(bucket)))).toEqual([
    [yes, yes, no, yes, yes, yes, yes],
    [yes, yes, no, no, yes, yes, yes],
    [yes, yes, no, no, no, yes, yes],
  ]);
});

test.each<[SkipDecodeOptions, string]>([
  [{ maxLayers: 9 }, "was told to run 9 layers, but tiny has 8"],
  [{ maxLayers: 5, minLayers: 6 }, "at least 6 layers and at most 5"],
  [{ minLayers: 3, warmupLayers: 3 }, "would run 3 of the 8 layers of tiny"],
  [{ factor: 1.9 }, "would run 0 of the 8 layers of tiny"],
])("%j does not fit 8 layers, and why", (options, reason) => {
  const model = scriptedModel({ vocabularySize: 4, next: () => 0, layers: 8, id: "tiny" });
  const sentences = bucketsOf(options, 8).misfits("skip-decode", model);
  expect(sentences).toHaveLength(1);
  expect(sentences[0]).toContain(reason);
});

test.each([1, 2, 4, 8, 12, 30, 64])("the defaults fit %d layers", (layers) => {
  const model = scriptedModel({ vocabularySize: 4, next: () => 0 });
  const buckets = bucketsOf({}, layers);
  expect(buckets.misfits("skip-decode", model)).toEqual([]);
  expect(buckets.fewest).toBeGreaterThan(0);
});
