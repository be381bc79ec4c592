import type { DraftHead } from "../weights/head-weights.ts";

/** Width, keys and feed-forward of `tinyModel()` with its default sizes. */
const [WIDTH, KEYS, FEED_FORWARD] = [64, 32, 96];

/** A draft head for `tinyModel()`, of weights that look random and are always the same. */
export function smallHead(vocabulary: Int32Array): DraftHead {
  const shapes: Readonly<Record<string, readonly number[]>> = {
    inputProjection: [WIDTH, 2 * WIDTH],
    "layers.0.attentionNorm": [WIDTH],
    "layers.0.query": [WIDTH, WIDTH],
    "layers.0.key": [KEYS, WIDTH],
    "layers.0.value": [KEYS, WIDTH],
    "layers.0.attentionOutput": [WIDTH, WIDTH],
    "layers.0.feedForwardNorm": [WIDTH],
    "layers.0.gate": [FEED_FORWARD, WIDTH],
    "layers.0.up": [FEED_FORWARD, WIDTH],
    "layers.0.down": [WIDTH, FEED_FORWARD],
    finalNorm: [WIDTH],
  };
  return {
    id: "small-head",
    contentHash: "5".repeat(64),
    vocabulary,
    tensor(role) {
      const shape = shapes[role];
      if (shape === undefined) return undefined;
      const size = shape.reduce((product, side) => product * side, 1);
      const seed = [...role].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
      const values = Float32Array.from({ length: size }, (_, index) =>
        shape.length === 1 ? 1 : 0.2 * Math.sin(seed + 12.9898 * index),
      );
      return { shape, type: "F32", read: async () => new Uint8Array(values.buffer) };
    },
  };
}
