import { z } from "zod";
import type { PartManifest } from "./part-manifest.ts";
import {
  corrupt,
  loadTrainedPart,
  type PartFormat,
  readTrainedPart,
  type TensorForm,
  type TrainedPart,
} from "./trained-part.ts";

const size = z.int().min(1);

/** Sizes of a feature head: one decoder layer of the target's shape, and the rows of its reduced vocabulary. */
export interface HeadShape {
  readonly width: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly feedForwardWidth: number;
  /** `V'`: tokens that the head can draft. */
  readonly vocabulary: number;
}

/** A trained feature head: it continues the target's final-norm states. */
export interface FeatureHead extends TrainedPart<HeadShape> {
  /** The token ids it can draft, ascending `[V']`. */
  readonly vocabulary: Int32Array;
}

/** Reads the sizes of a head of one decoder layer; other kinds of heads extend it. */
export const headShape = z.object({
  width: size,
  heads: size,
  keyValueHeads: size,
  headSize: size,
  feedForwardWidth: size,
  vocabulary: size,
});

/** What the files of a feature head hold. */
export const FEATURE_HEAD: PartFormat<HeadShape> = {
  kind: "feature-head",
  shape: headShape,
  tensors: (shape) => ({
    vocabulary: ["I32", [shape.vocabulary]],
    inputProjection: ["I8", [shape.width, 2 * shape.width]],
    ...layerTensors(shape),
    finalNorm: ["F32", [shape.width]],
  }),
};

/** The tensors of one decoder layer, `layers.0.…`. */
export function layerTensors({
  width,
  heads,
  keyValueHeads,
  headSize,
  feedForwardWidth,
}: Omit<HeadShape, "vocabulary">): Record<string, TensorForm> {
  return {
    "layers.0.attentionNorm": ["F32", [width]],
    "layers.0.query": ["I8", [heads * headSize, width]],
    "layers.0.key": ["I8", [keyValueHeads * headSize, width]],
    "layers.0.value": ["I8", [keyValueHeads * headSize, width]],
    "layers.0.attentionOutput": ["I8", [width, heads * headSize]],
    "layers.0.feedForwardNorm": ["F32", [width]],
    "layers.0.gate": ["I8", [feedForwardWidth, width]],
    "layers.0.up": ["I8", [feedForwardWidth, width]],
    "layers.0.down": ["I8", [width, feedForwardWidth]],
  };
}

/**
 * Loads a feature head from the folder that holds its `manifest.json`.
 *
 * @param folder - An address; in Node also a path.
 * @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL`, `CHECKSUM_MISMATCH`
 */
export async function loadHead(folder: string | URL): Promise<FeatureHead> {
  return withVocabulary(await loadTrainedPart(folder, FEATURE_HEAD));
}

/**
 * Reads a feature head.
 *
 * @param bytes - The weights' file, kept.
 * @throws as {@link readTrainedPart}
 */
export async function readHead(
  manifest: PartManifest<HeadShape>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<FeatureHead> {
  return withVocabulary(await readTrainedPart(manifest, bytes, FEATURE_HEAD));
}

function withVocabulary(part: TrainedPart<HeadShape>): FeatureHead {
  return { ...part, vocabulary: vocabularyOf(part) };
}

/** The token ids of a part's tensor `vocabulary`. @throws `CORRUPT_MODEL` unless they ascend */
export function vocabularyOf(part: TrainedPart): Int32Array {
  const ids = part.integers("vocabulary");
  const wrong = ids.findIndex((id, index) => id < 0 || (index > 0 && id <= ids[index - 1]!));
  if (wrong < 0) return ids;
  throw corrupt(part.id, `token ${ids[wrong]} of its vocabulary is negative or not in order`);
}
