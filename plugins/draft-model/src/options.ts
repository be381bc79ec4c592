import type { Model } from "@foretoken/core";
import { z } from "zod";

/** Loads a model when it is first needed. */
export type LoadDraft = (options: { readonly signal?: AbortSignal }) => Promise<Model>;

/** Reads the options of a draft model. */
export const optionsSchema = z.strictObject({
  model: z.custom<Model | LoadDraft>((value) => isModel(value) || typeof value === "function", {
    error: "expected a loaded model, or a function that loads one",
  }),
});

/** The same in JSON, where the model is named. */
export const jsonSchema = z.strictObject({
  model: z
    .union([optionsSchema.shape.model, z.string().min(1)])
    .describe("A model among the resources by its name there, or what the resource loadModel loads"),
});

// By shape: the model may come from another copy of its package.
export function isModel(value: unknown): value is Model {
  return typeof (value as Model | undefined)?.createSession === "function";
}

/** Options of {@link draftModel}. */
export interface DraftModelOptions {
  /**
   * A loaded model with the target's tokenizer, or a function that loads it before the first answer. Whoever loads it
   * disposes it.
   */
  readonly model: Model | LoadDraft;
}
