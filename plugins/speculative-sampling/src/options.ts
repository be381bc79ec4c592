import { type DraftSource, part } from "@foretoken/core";
import { z } from "zod";

/** Reads the options of speculative sampling. */
export const optionsSchema = z.strictObject({
  source: part("source").describe("What drafts: a draft source"),
  length: z.int().min(1).max(64).default(4).describe("Tokens drafted for one pass"),
  temperature: z
    .number()
    .positive()
    .max(100)
    .optional()
    .describe("Temperature of the draft; default the target's, 0.6 where that is 0"),
  topK: z.int().min(0).default(64).describe("Most probable tokens that the draft draws from; 0 keeps all"),
});

/** Options of {@link speculativeSampling}. */
export interface SpeculativeSamplingOptions {
  /** What drafts. */
  readonly source: DraftSource;
  /** `K`: tokens drafted for one pass, 1 to 64. Default 4. */
  readonly length?: number;
  /** Temperature of the draft, above 0. Default the target's, 0.6 where that is 0. */
  readonly temperature?: number;
  /** Most probable tokens that the draft draws from; 0 keeps all. Default 64. */
  readonly topK?: number;
}
