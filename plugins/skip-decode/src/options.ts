import { z } from "zod";

/** Options of {@link skipDecode} and {@link skipDecodeDraft}. */
export interface SkipDecodeOptions {
  /**
   * All layers ÷ layers run in the mean of the first `length` generated tokens, at least 1; sets `minLayers` where that is left out.
   * Default 1.1.
   */
  readonly factor?: number;
  /** Layers run for the first generated tokens, `Emax`. Default all. */
  readonly maxLayers?: number;
  /** Layers run from `length` generated tokens on, `Emin`. Default what `factor` says. */
  readonly minLayers?: number;
  /** Layers at the bottom that always run, `w`. Default 13 % of the layers, at least 1. */
  readonly warmupLayers?: number;
  /** Generated tokens over which layers are left out, `T`. Default 192. */
  readonly length?: number;
  /** Steps in which that happens. Default 4. */
  readonly buckets?: number;
  /** What is counted: tokens behind the prompt, or all of them. Default `"generated"`. */
  readonly origin?: "generated" | "absolute";
  /** The prompt's layers: all, or `maxLayers`. Default `"all"`. */
  readonly promptLayers?: "all" | "max";
}

const layerCount = z.int().min(1);

/** Reads the options of SkipDecode. */
export const optionsSchema = z.strictObject({
  factor: z.number().min(1).default(1.1).describe("All layers ÷ layers run in the mean; sets minLayers"),
  maxLayers: layerCount.optional().describe("Layers run for the first generated tokens; default all"),
  minLayers: layerCount
    .optional()
    .describe("Layers run from `length` generated tokens on; default what factor says"),
  warmupLayers: layerCount
    .optional()
    .describe("Layers at the bottom that always run; default 13 % of the layers"),
  length: z.int().min(1).default(192).describe("Generated tokens over which layers are left out"),
  buckets: z.int().min(1).max(8).default(4).describe("Steps in which that happens"),
  origin: z
    .enum(["generated", "absolute"])
    .default("generated")
    .describe("What is counted: tokens behind the prompt, or all of them"),
  promptLayers: z.enum(["all", "max"]).default("all").describe("The prompt's layers: all, or maxLayers"),
});

/** Options that were read. */
export type ReadOptions = z.output<typeof optionsSchema>;
