import {
  corrupt,
  type HeadShape,
  headShape,
  layerTensors,
  loadTrainedPart,
  type PartFormat,
  type TrainedPart,
  vocabularyOf,
} from "@foretoken/drafting";
import { z } from "zod";

const size = z.int().min(1);

/** Sizes of Chimera's network, and how good its guesses are. */
export interface ChimeraShape extends HeadShape {
  /** `K`: steps it was trained for, and the depth of its drafts. */
  readonly steps: number;
  /** `r`: rank of the products in its step heads. */
  readonly rank: number;
  /** `[K][ranks]`: share of held-out places where the guess of this rank, at this step behind the right text, was the target's own token. */
  readonly accuracy: readonly (readonly number[])[];
}

/** Chimera's network, loaded. */
export interface ChimeraHead extends TrainedPart<ChimeraShape> {
  /** The token ids it can draft, ascending `[V']`. */
  readonly vocabulary: Int32Array;
}

/** Roles of the tensors beside those of the decoder layer. Matrices are `[outputs, inputs]`, heads of all steps in one. */
export const ROLES = {
  /** `[D, 3D]` and `[D]`: the trigram encoder's layer in front of SiLU. */
  trigramInner: "trigram.inner",
  trigramInnerBias: "trigram.innerBias",
  /** `[D, D]` and `[D]`: the layer behind it. */
  trigramOuter: "trigram.outer",
  trigramOuterBias: "trigram.outerBias",
  /** `[K, D]`, `[K r, D]`, `[D, K r]`: `A_k = diag(diagonal[k]) + outer[:, k] inner[k]`, for the target's state. */
  residual: { diagonal: "residual.diagonal", inner: "residual.inner", outer: "residual.outer" },
  /** The same of `B_k`, for the network's own state. */
  state: { diagonal: "state.diagonal", inner: "state.inner", outer: "state.outer" },
} as const;

/** What the files of Chimera's network hold. */
export const CHIMERA: PartFormat<ChimeraShape> = {
  kind: "chimera",
  shape: headShape.extend({
    steps: size,
    rank: size,
    accuracy: z.array(z.array(z.number().min(0).max(1)).min(1)),
  }),
  tensors: (shape) => {
    const { width, vocabulary, steps, rank } = shape;
    return {
      vocabulary: ["I32", [vocabulary]],
      ...layerTensors(shape),
      finalNorm: ["F32", [width]],
      [ROLES.trigramInner]: ["I8", [width, 3 * width]],
      [ROLES.trigramInnerBias]: ["F32", [width]],
      [ROLES.trigramOuter]: ["I8", [width, width]],
      [ROLES.trigramOuterBias]: ["F32", [width]],
      ...Object.fromEntries(
        [ROLES.residual, ROLES.state].flatMap(({ diagonal, inner, outer }) => [
          [diagonal, ["F32", [steps, width]]],
          [inner, ["I8", [steps * rank, width]]],
          [outer, ["I8", [width, steps * rank]]],
        ]),
      ),
    };
  },
};

/**
 * Loads Chimera's network from the folder that holds its `manifest.json`.
 *
 * @param folder - An address; in Node also a path.
 * @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL`, `CHECKSUM_MISMATCH`
 */
export async function loadChimera(folder: string | URL): Promise<ChimeraHead> {
  const part = await loadTrainedPart(folder, CHIMERA);
  const { steps, accuracy } = part.manifest.shape;
  if (accuracy.length !== steps) {
    throw corrupt(part.id, `it guesses ${steps} steps, but says how good ${accuracy.length} are`);
  }
  return { ...part, vocabulary: vocabularyOf(part) };
}
