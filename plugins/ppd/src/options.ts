import { partSchema, type TrainedPart } from "@foretoken/drafting";
import { z } from "zod";
import type { PromptTokensShape } from "./prompt-tokens.ts";

/** Reads the options of PPD. */
export const optionsSchema = z.strictObject({
  head: partSchema<TrainedPart<PromptTokensShape>>(),
  rows: z
    .literal("auto")
    .or(z.int().min(1).max(48))
    .default("auto")
    .describe("Rows a pass may add for nodes and the probes under them; auto goes by the model's cost curve"),
  foreignProbes: z
    .int()
    .min(0)
    .max(8)
    .default(1)
    .describe("Probes under a node that another drafter proposed"),
});

/** Options of {@link ppd}. */
export interface PpdOptions {
  /**
   * Prompt tokens trained on the target's own weights: loaded with {@link loadPromptTokens}, or the folder that holds their
   * `manifest.json`, as an address or, in Node, a path.
   */
  readonly head: TrainedPart<PromptTokensShape> | URL | string;
  /**
   * Rows a pass may add to the root and the root's own probes, 1 to 48: nodes, and the probes under them. `"auto"`, the default, takes
   * what gives most tokens for the time of a pass, by the model's cost curve.
   */
  readonly rows?: number | "auto";
  /** Steps of the chain under a node that another drafter proposed, 0 to 8, cut to those there are. Default 1. */
  readonly foreignProbes?: number;
}
