import type { Model } from "@foretoken/core";

/** What was searched once for a model. */
interface KnownLayers {
  /** What the model is called. */
  readonly model: string;
  /** Indices of the layers that run. */
  readonly layers: readonly number[];
}

/** Layer sets by the content hash of the weights they were searched for, as `scripts/search-layers.mjs` prints them. */
const KNOWN: Readonly<Record<string, KnownLayers | undefined>> = {
  b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53: {
    model: "smollm2-135m-instruct",
    layers: [
      0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
    ],
  },
};

/** The layers that draft best for these very weights, or `undefined` where nobody searched. */
export function knownLayers({ contentHash }: Model): readonly number[] | undefined {
  return KNOWN[contentHash]?.layers;
}
