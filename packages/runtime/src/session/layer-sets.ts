import { DecodingError, type LayerSet } from "@foretoken/core";

/** Checks a layer set; one with all layers becomes `undefined`. */
export function normalLayers(layers: LayerSet | undefined, count: number): LayerSet | undefined {
  if (layers === undefined) return undefined;
  if (layers.length !== count) {
    throw new DecodingError("SHAPE_MISMATCH", {
      message: `A layer set has ${layers.length} entries, but the model has ${count} layers.`,
      fix: "Give one boolean for each layer.",
    });
  }
  return layers.every(Boolean) ? undefined : layers;
}

/** A key under which equal layer sets are equal. */
export function layersKey(layers: LayerSet | undefined): string {
  return layers === undefined ? "" : layers.map((runs) => (runs ? "1" : "0")).join("");
}

/**
 * The first layer that runs in `layers` but not in some of `seen`, or -1: its keys and values of that row are missing.
 *
 * @param seen - Rows that become visible, with the sets they were run with.
 */
export function holeIn(
  layers: LayerSet | undefined,
  seen: Iterable<{ readonly layers: LayerSet | undefined }>,
): number {
  let last: LayerSet | undefined;
  for (const { layers: has } of seen) {
    // Rows of one pass share their set, so that a long text is checked by comparing references.
    if (has === undefined || has === last) continue;
    const hole = has.findIndex((runs, layer) => !runs && (layers === undefined || layers[layer]));
    if (hole >= 0) return hole;
    last = has;
  }
  return -1;
}
