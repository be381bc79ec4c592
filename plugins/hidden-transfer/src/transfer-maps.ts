import {
  corrupt,
  loadTrainedPart,
  type PartFormat,
  type TensorForm,
  type TrainedPart,
} from "@foretoken/drafting";
import { z } from "zod";

/** Sizes of trained maps, and how often they guess right. */
export interface TransferShape {
  readonly width: number;
  /** `k`: maps, one for each step. */
  readonly steps: number;
  /** `t_1 ≤ … ≤ t_k`: behind how many layers each map stands. */
  readonly layers: readonly number[];
  /** `[steps][ranks]`: how often the guess of this rank was the target's own next token, on held-out text. */
  readonly accuracy: readonly (readonly number[])[];
}

const size = z.int().min(1);

/** What the files of maps hold: for each step from 1 `steps.I.weight`, `[width, width]`, and `steps.I.bias`, `[width]`. */
export const TRANSFER_MAPS: PartFormat<TransferShape> = {
  kind: "hidden-transfer",
  shape: z
    .object({
      width: size,
      steps: size,
      layers: z.array(z.int().min(0)),
      accuracy: z.array(z.array(z.number().min(0).max(1)).min(1)).min(1),
    })
    .refine(({ steps, layers }) => layers.length === steps, {
      path: ["layers"],
      error: "must have one number for each step",
    })
    // A pseudo row sees the one before it in every layer it runs, so that one must have joined by then.
    .refine(({ layers }) => layers.every((layer, step) => step === 0 || layer >= layers[step - 1]!), {
      path: ["layers"],
      error: "must not fall",
    })
    .refine(({ steps, accuracy }) => accuracy.length === steps, {
      path: ["accuracy"],
      error: "must have one row for each step",
    }),
  tensors: ({ steps, width }) =>
    Object.fromEntries(
      Array.from({ length: steps }, (_, index): [string, TensorForm][] => [
        [`steps.${index + 1}.weight`, ["I8", [width, width]]],
        [`steps.${index + 1}.bias`, ["F32", [width]]],
      ]).flat(),
    ),
};

/**
 * Loads maps from the folder that holds their `manifest.json`.
 *
 * @param folder - An address; in Node also a path.
 * @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL`, `CHECKSUM_MISMATCH`
 */
export async function loadTransferMaps(folder: string | URL): Promise<TrainedPart<TransferShape>> {
  const maps = await loadTrainedPart(folder, TRANSFER_MAPS);
  for (const role of Object.keys(TRANSFER_MAPS.tensors(maps.manifest.shape))) {
    // Attention gives a row that must not be seen the weight 0, and 0 times NaN is NaN: real rows would not stay what they are.
    if (!maps.floats(role).every(Number.isFinite))
      throw corrupt(maps.id, `tensor "${role}" holds NaN or infinity`);
  }
  return maps;
}
