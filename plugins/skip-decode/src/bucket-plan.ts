import type { LayerPlan, LayerSet } from "@foretoken/core";
import type { LayerBuckets } from "./layer-buckets.ts";
import type { ReadOptions } from "./options.ts";

/** Positions with one set of layers. */
interface Stage {
  /** Its first position in the text. */
  readonly from: number;
  readonly kept: number;
  readonly layers: LayerSet | undefined;
}

/** The layers of one answer: the prompt, then one stage for each bucket that has positions. */
export class BucketPlan implements LayerPlan {
  /** In order of their positions, each with fewer layers than the one before. */
  readonly #stages: readonly Stage[];

  constructor(
    buckets: LayerBuckets,
    { origin, promptLayers }: Pick<ReadOptions, "origin" | "promptLayers">,
    promptTokens: number,
  ) {
    const zero = origin === "generated" ? promptTokens : 0;
    const stages: Stage[] = [];
    const add = (from: number, kept: number) => {
      // A later bucket that starts no later leaves the earlier one no position.
      while ((stages.at(-1)?.from ?? -1) >= from) stages.pop();
      if (stages.at(-1)?.kept !== kept) stages.push({ from, kept, layers: buckets.set(kept) });
    };
    add(0, promptLayers === "all" ? buckets.layers : buckets.most);
    for (let bucket = 0; bucket < buckets.buckets; bucket++) {
      add(Math.max(promptTokens, zero + buckets.start(bucket)), buckets.kept(bucket));
    }
    this.#stages = stages;
  }

  layersAt(position: number): LayerSet | undefined {
    return this.#stages.findLast(({ from }) => from <= position)?.layers;
  }

  nextChange(position: number): number {
    return this.#stages.find(({ from }) => from > position)?.from ?? Number.POSITIVE_INFINITY;
  }
}
