import { type Decoder, part, type TokenId } from "@foretoken/core";
import { z } from "zod";
import type { TrialsReport } from "./trials-report.ts";

/** Reads the options of cautious decoding. */
export const optionsSchema = z
  .strictObject({
    decoder: part("decoder").optional().describe("Who decodes, between trials and in them; default plain"),
    minEntropy: z.number().min(0).default(0.01).describe("Nats where trials begin to count"),
    maxEntropy: z.number().positive().default(1.5).describe("Nats from which on there are maxTrials"),
    maxTrials: z.int().min(1).max(1024).default(10).describe("Trials at one place; 1 is the inner decoder"),
    formula: z.enum(["code", "paper"]).default("code").describe("How entropy becomes a number of trials"),
    punctuation: z
      .union([z.enum(["ids", "text"]), z.array(z.int().min(0))])
      .default("ids")
      .describe("What ends a trial: ten marks by id, tokens that end in one, or these tokens"),
    execution: z
      .enum(["forest", "sequential"])
      .default("forest")
      .describe("Trials in shared passes, or one after the other; same text"),
    maxTrialTokens: z.int().min(0).default(64).describe("Tokens of one trial at most; 0 sets no limit"),
    exploreTemperature: z
      .number()
      .positive()
      .optional()
      .describe("Temperature of trials and entropy; default the caller's"),
    onTrials: z
      .custom<(report: TrialsReport) => void>((value) => typeof value === "function", {
        error: "expected a function",
      })
      .optional()
      .describe("Called whenever trials were made and one was kept"),
  })
  .refine(({ minEntropy, maxEntropy }) => minEntropy < maxEntropy, {
    path: ["maxEntropy"],
    error: "expected more than minEntropy",
  });

/** Options of {@link cntp}. */
export interface CntpOptions {
  /** Who decodes between trials and in them. Default `plain()`. */
  readonly decoder?: Decoder;
  /** `Hmin`, nats, at least 0. Default 0.01. No place with less has trials; where there are two, the formula says. */
  readonly minEntropy?: number;
  /** `Hmax`, nats, above `minEntropy`. Default 1.5. Places with this much have {@link CntpOptions.maxTrials}. */
  readonly maxEntropy?: number;
  /** `Nmax`, from 1, where this is the inner decoder. Default 10. */
  readonly maxTrials?: number;
  /** How many trials an entropy is worth: as the authors' code has it, or as their paper prints it. Default `code`. */
  readonly formula?: "code" | "paper";
  /**
   * Which tokens end a trial. `ids`, the default and the authors' way: the first token of each of ten marks. `text`: every token
   * whose text ends in one of them, spaces left out. Or these tokens.
   */
  readonly punctuation?: "ids" | "text" | readonly TokenId[];
  /**
   * `forest`, the default, runs trials at the same time, so that their rows share passes; `sequential` runs one after the other
   * and keeps the rows of two at most. A seed gives the same text with both.
   */
  readonly execution?: "forest" | "sequential";
  /** Tokens of one trial at most. Default 64; 0 sets no limit, as the authors do. */
  readonly maxTrialTokens?: number;
  /**
   * The temperature at which entropy is measured, and trials are drawn and scored; above 0. Default the caller's own, so that
   * there are no trials at 0. Needs whole rows of logits where greedy decoding would read none.
   */
  readonly exploreTemperature?: number;
  /** Called whenever trials were made and one was kept, for counts and curves. */
  readonly onTrials?: (report: TrialsReport) => void;
}
