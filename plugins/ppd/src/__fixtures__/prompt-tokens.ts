import type { Model } from "@foretoken/core";
import type { TrainedPart } from "@foretoken/drafting";
import type { PromptTokensShape } from "../prompt-tokens.ts";

/** Shares of right guesses by step and rank, falling as those of trained prompt tokens do. */
export const ACCURACY = [
  [0.5, 0.15, 0.08],
  [0.3, 0.12, 0.06],
  [0.2, 0.1, 0.05],
];

/** Prompt tokens for a model that nobody trained. */
export function promptTokensFor(
  { contentHash, width }: Model,
  {
    copies = 1,
    accuracy = ACCURACY,
    value = (index: number) => Math.sin(index + 1),
  }: {
    readonly copies?: number;
    readonly accuracy?: readonly (readonly number[])[];
    readonly value?: (index: number) => number;
  } = {},
): TrainedPart<PromptTokensShape> {
  const steps = accuracy.length;
  return {
    id: "untrained",
    contentHash: "1".repeat(64),
    manifest: {
      kind: "prompt-tokens",
      name: "untrained",
      base: { file: "target.gguf", sha256: contentHash, dequantizedSha256: contentHash },
      weights: { file: "model.safetensors", bytes: 1, sha256: "1".repeat(64) },
      shape: { width, steps, copies, accuracy },
    },
    tensor: () => undefined,
    floats: () => Float32Array.from({ length: steps * copies * width }, (_, index) => value(index)),
    integers: () => new Int32Array(),
  };
}
