import { type DraftSource, part } from "@foretoken/core";
import { z } from "zod";

/** Reads the options of dynamic trees. */
export const optionsSchema = z
  .strictObject({
    source: part("source").describe("What drafts are drawn from"),
    variant: z
      .enum(["threshold", "greedy"])
      .default("threshold")
      .describe("By layers with one draft pass each, or always where a token is most likely to count"),
    nodes: z.int().min(1).max(1024).default(16).describe("Nodes of a tree where no budget says otherwise"),
    maxDepth: z.int().min(1).max(64).default(8).describe("Levels at most"),
    threshold: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Of the threshold variant: the least probability of a place; default 1 / node limit"),
    batch: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .describe("Of the greedy variant: nodes of one draft pass at most; default 4"),
    temperature: z
      .number()
      .positive()
      .max(100)
      .optional()
      .describe("Of draft laws; default the target's, and 0.6 where that is 0"),
    topK: z.int().min(0).default(64).describe("Tokens of a draft law at most; 0 keeps all"),
  })
  .refine(({ variant, threshold }) => variant === "threshold" || threshold === undefined, {
    path: ["threshold"],
    message: "the greedy variant has no threshold",
  })
  .refine(({ variant, batch }) => variant === "greedy" || batch === undefined, {
    path: ["batch"],
    message: "the threshold variant runs a whole level in one pass",
  });

/** Options of {@link dyspec}. */
export interface DyspecOptions {
  /** What drafts are drawn from. */
  readonly source: DraftSource;
  /**
   * `"threshold"` draws by layers wherever a token is likely enough to count, with one draft pass each. `"greedy"` always draws
   * where a token is most likely to count, with up to one draft pass for each node. Default `"threshold"`.
   */
  readonly variant?: "threshold" | "greedy";
  /** `m`: nodes of a tree where no budget says otherwise, 1 to 1024. Default 16. */
  readonly nodes?: number;
  /** `D`: levels at most, 1 to 64. Default 8. */
  readonly maxDepth?: number;
  /**
   * `c`, of the threshold variant: the least probability that verification comes to a place where a token is drawn, above 0
   * and at most 1. Default 1 / the node limit of the round.
   */
  readonly threshold?: number;
  /** Of the greedy variant: nodes of one draft pass at most, 1 to 64. Changes the cost, never the tree. Default 4. */
  readonly batch?: number;
  /** Temperature of draft laws, above 0. Default the target's, and 0.6 where that is 0. */
  readonly temperature?: number;
  /** Tokens of a draft law at most; the law is cut to them before anything is drawn; 0 keeps all. Default 64. */
  readonly topK?: number;
}
