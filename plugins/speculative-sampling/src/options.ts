import { type DraftSource, part } from "@foretoken/core";
import { z } from "zod";

/** Reads the options of speculative sampling. */
export const optionsSchema = z.strictObject({
  source: part("source").describe("What drafts: a draft source"),
  length: z.int().min(1).max(64).default(4).describe("Tokens drafted for one pass"),
  temperature: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe("Temperature of the draft; default the target's"),
  topK: z.int().min(0).default(64).describe("Most probable tokens that the draft draws from; 0 keeps all"),
});

/** Options of {@link speculativeSampling}. */
export interface SpeculativeSamplingOptions {
  /** What drafts. */
  readonly source: DraftSource;
  /** `K`: tokens drafted for one pass, 1 to 64. Default 4. */
  readonly length?: number;
  /** Temperature of the draft, 0 to 100; at 0 it drafts its most probable tokens. Default the target's. */
  readonly temperature?: number;
  /** Most probable tokens that the draft draws from; 0 keeps all. Default 64. */
  readonly topK?: number;
}
