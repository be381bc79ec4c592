import type { Model } from "@foretoken/core";
import { type ScriptedModel, type ScriptedModelOptions, scriptedModel } from "@foretoken/testing";
import type { ChimeraHead, ChimeraShape } from "../chimera-head.ts";

/** Sizes that a scripted network does not have. */
const NO_LAYER = { heads: 1, keyValueHeads: 1, headSize: 1, feedForwardWidth: 1, rank: 1 };

/** Guesses of three ranks, four steps deep. */
const ACCURACY: ChimeraShape["accuracy"] = [
  [0.4, 0.2, 0.1],
  [0.4, 0.2, 0.1],
  [0.4, 0.2, 0.1],
  [0.4, 0.2, 0.1],
];

/** What Chimera knows of a network before the target loads it; every token is in its vocabulary. */
export function headFor(target: Model, accuracy = ACCURACY): ChimeraHead {
  const { contentHash, width, vocabularySize } = target;
  const nothing = () => {
    throw new Error("a scripted network has no weights");
  };
  return {
    id: "network",
    contentHash: "1".repeat(64),
    vocabulary: Int32Array.from({ length: vocabularySize }, (_, token) => token),
    tensor: () => undefined,
    floats: nothing,
    integers: nothing,
    manifest: {
      kind: "chimera",
      name: "network",
      base: { file: "target.gguf", sha256: contentHash, dequantizedSha256: contentHash },
      weights: { file: "model.safetensors", bytes: 1, sha256: "1".repeat(64) },
      shape: { ...NO_LAYER, width, vocabulary: vocabularySize, steps: accuracy.length, accuracy },
    },
  };
}

/** Lets a scripted target load a scripted network, whose guesses are what its script makes of text, path and token. */
export function withNetwork(target: ScriptedModel, script: ScriptedModelOptions): ScriptedModel {
  const { vocabularySize, width } = target;
  const network = scriptedModel({ id: "network", vocabularySize, width, ...script });
  Object.assign(network, { embeddingOf: (token: number) => new Float32Array(width).fill(token) });
  Object.assign(target, { loadHead: async () => network });
  return network;
}
