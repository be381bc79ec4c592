import type { Model } from "@foretoken/core";
import type { TrainedPart } from "@foretoken/drafting";
import type { TransferShape } from "../transfer-maps.ts";

/** Shares of right guesses by step and rank, falling as those of trained maps do. */
export const ACCURACY = [
  [0.5, 0.15, 0.08],
  [0.3, 0.12, 0.06],
  [0.2, 0.1, 0.05],
];

/** What {@link mapsFor} may be told. */
export interface MapOptions {
  readonly accuracy?: readonly (readonly number[])[];
  /** Default behind layer 1 each. */
  readonly layers?: readonly number[];
  /** Entry of `W_step`; default noise. */
  readonly weight?: (step: number, output: number, input: number) => number;
  /** Entry of `b_step`; default noise. */
  readonly bias?: (step: number, output: number) => number;
  /** A digit that stands for the content. */
  readonly hash?: string;
}

/** Maps for a model that nobody trained. */
export function mapsFor(
  { contentHash, width }: Model,
  {
    accuracy = ACCURACY,
    layers = accuracy.map(() => 1),
    weight = (step, output, input) => 0.3 * Math.sin(1 + step * 7919 + output * 131 + input * 17),
    bias = (step, output) => 0.2 * Math.cos(step * 31 + output),
    hash = "1",
  }: MapOptions = {},
): TrainedPart<TransferShape> {
  return {
    id: "untrained",
    contentHash: hash.repeat(64),
    manifest: {
      kind: "hidden-transfer",
      name: "untrained",
      base: { file: "target.gguf", sha256: contentHash, dequantizedSha256: contentHash },
      weights: { file: "model.safetensors", bytes: 1, sha256: hash.repeat(64) },
      shape: { width, steps: accuracy.length, layers, accuracy },
    },
    tensor: () => undefined,
    floats(role) {
      const [, step, name] = role.split(".");
      return name === "bias"
        ? Float32Array.from({ length: width }, (_, output) => bias(Number(step), output))
        : Float32Array.from({ length: width * width }, (_, at) =>
            weight(Number(step), Math.floor(at / width), at % width),
          );
    },
    integers: () => new Int32Array(),
  };
}
