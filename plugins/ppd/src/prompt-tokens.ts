import { loadTrainedPart, type PartFormat, type TrainedPart } from "@foretoken/drafting";
import { z } from "zod";

/** Sizes of trained prompt tokens, and how often they guess right. */
export interface PromptTokensShape {
  readonly width: number;
  /** `n`: prompt tokens, one for each step. */
  readonly steps: number;
  /** `v`: embeddings of each prompt token, whose guesses are averaged. */
  readonly copies: number;
  /** `[steps][ranks]`: how often the guess of this rank was the target's own next token, on held-out text. */
  readonly accuracy: readonly (readonly number[])[];
}

const size = z.int().min(1);

/** What the files of prompt tokens hold: tensor `embeddings`, `[steps · copies, width]`, the copies of a step together. */
export const PROMPT_TOKENS: PartFormat<PromptTokensShape> = {
  kind: "prompt-tokens",
  shape: z
    .object({
      width: size,
      steps: size,
      copies: size,
      accuracy: z.array(z.array(z.number().min(0).max(1)).min(1)).min(1),
    })
    .refine(({ steps, accuracy }) => accuracy.length === steps, {
      path: ["accuracy"],
      error: "must have one row for each step",
    }),
  tensors: ({ steps, copies, width }) => ({ embeddings: ["F32", [steps * copies, width]] }),
};

/**
 * Loads prompt tokens from the folder that holds their `manifest.json`.
 *
 * @param folder - An address; in Node also a path.
 * @throws `MODEL_NOT_FOUND`, `CORRUPT_MODEL`, `CHECKSUM_MISMATCH`
 */
export function loadPromptTokens(folder: string | URL): Promise<TrainedPart<PromptTokensShape>> {
  return loadTrainedPart(folder, PROMPT_TOKENS);
}

/** The embedding of one prompt token `[D]`: step from 1, copy from 0. A view of `embeddings`. */
export function promptToken(
  embeddings: Float32Array,
  { width, copies }: PromptTokensShape,
  step: number,
  copy: number,
): Float32Array {
  const row = (step - 1) * copies + copy;
  return embeddings.subarray(row * width, (row + 1) * width);
}
