import { z } from "zod";

/** Reads the options of layer skipping. */
export const optionsSchema = z.strictObject({
  layers: z
    .array(z.int().min(0))
    .min(1)
    .optional()
    .describe("Indices of the layers that run, from 0; default what is known for the model"),
});

/** Options of {@link layerSkip}. */
export interface LayerSkipOptions {
  /** Indices of the layers that run, from 0, in any order. Default the set that was searched for the model, where there is one. */
  readonly layers?: readonly number[];
}
