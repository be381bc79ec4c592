import { z } from "zod";

/** Reads the options of prompt lookup. */
export const optionsSchema = z
  .strictObject({
    minNgram: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe("Tokens an earlier place must share with the end of the text"),
    maxNgram: z.int().min(1).max(64).default(16).describe("Shared tokens counted at most"),
    maxTokens: z.int().min(1).max(64).default(10).describe("Tokens of a draft at most"),
    minProbability: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe("A draft ends where the estimated chance that all of it is accepted falls below this"),
  })
  .refine(({ minNgram, maxNgram }) => minNgram <= maxNgram, {
    path: ["maxNgram"],
    message: "must be at least minNgram",
  });

/** Options of {@link promptLookup}. */
export interface PromptLookupOptions {
  /** Tokens an earlier place must share with the end of the text, 1 to 64. Default 1. */
  readonly minNgram?: number;
  /** Shared tokens counted at most, `minNgram` to 64: longer matches count as this long. Default 16. */
  readonly maxNgram?: number;
  /** Tokens of a draft at most, 1 to 64. Default 10. */
  readonly maxTokens?: number;
  /**
   * A draft ends where the estimated chance that all of it is accepted falls below this, 0 to 1; 0 always drafts
   * `maxTokens`. Raise it where a row more costs much, lower it where it is nearly free. Default 0.3.
   */
  readonly minProbability?: number;
}
