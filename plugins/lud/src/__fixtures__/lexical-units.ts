import type { Model } from "@foretoken/core";
import type { LexicalUnits } from "../lexical-units.ts";

/** Paddings for a model that nobody trained. */
export function lexicalUnitsFor(
  { contentHash, width }: Pick<Model, "contentHash" | "width">,
  {
    lookAhead = 4,
    threshold = 0.9,
    value = (index: number) => Math.sin(index + 1),
  }: {
    readonly lookAhead?: number;
    readonly threshold?: number;
    readonly value?: (index: number) => number;
  } = {},
): LexicalUnits {
  return {
    id: "untrained",
    contentHash: "1".repeat(64),
    manifest: {
      kind: "lexical-units",
      name: "untrained",
      base: { file: "target.gguf", sha256: contentHash, dequantizedSha256: contentHash },
      weights: { file: "model.safetensors", bytes: 1, sha256: "1".repeat(64) },
      shape: { width, lookAhead, threshold },
    },
    tensor: () => undefined,
    floats: () => Float32Array.from({ length: (lookAhead - 1) * width }, (_, index) => value(index)),
    integers: () => new Int32Array(),
  };
}
