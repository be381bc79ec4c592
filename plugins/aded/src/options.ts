import { isSuccessorTable, type SuccessorTable } from "@foretoken/drafting";
import { z } from "zod";

const table = z
  .string()
  .or(z.custom<SuccessorTable>(isSuccessorTable, { error: "expected a table of successors or its path" }));

/** Reads the options of ADED. */
export const optionsSchema = z.strictObject({
  table: table
    .optional()
    .describe(
      "What follows each pair of tokens: a table, or the path of its file; in JSON also a resource's name",
    ),
  start: table.optional().describe("The same of single tokens, for pairs that the table does not know"),
  nodes: z.int().min(1).max(64).default(2).describe("Nodes of a tree where no budget says otherwise"),
  depth: z.int().min(1).max(32).default(4).describe("Levels of a tree"),
  search: z.enum(["best-first", "puct"]).default("best-first").describe("How the table is searched"),
  backup: z
    .enum(["corrected", "published"])
    .default("corrected")
    .describe("What a simulated line is worth, for puct"),
  iterations: z.int().min(1).max(10_000).default(150).describe("Simulated lines of a search, for puct"),
  exploration: z.number().min(0).default(32).describe("Weight of the prior against what was found, for puct"),
  sentences: z.int().min(1).max(64).default(24).describe("Paths of a search that become drafts, for puct"),
  step: z.number().positive().default(0.04).describe("What an occurrence adds to a weight"),
  most: z.number().positive().default(3).describe("The most that occurrences lift a weight to"),
  window: z
    .int()
    .min(0)
    .max(4096)
    .default(16)
    .describe("Newest tokens that are counted again before every pass"),
  learnPrompt: z.boolean().default(true).describe("Count the whole prompt once"),
  successors: z.int().min(1).max(64).default(12).describe("Successors kept of each pair"),
});

/** Options of {@link aded}. */
export interface AdedOptions {
  /**
   * What follows each pair of tokens, such as `tableFromTexts` makes: the table, or the path of its file. It is shared and
   * never written to: what a text teaches stays with that text. Default none: only what the text itself teaches.
   */
  readonly table?: SuccessorTable | string;
  /** The same of single tokens: what a pair begins with that `table` does not know. Default none. */
  readonly start?: SuccessorTable | string;
  /** Nodes of a tree where no budget says otherwise, 1 to 64. Default 2. */
  readonly nodes?: number;
  /** Levels of a tree, 1 to 32. Default 4. */
  readonly depth?: number;
  /** `best-first` drafts the likeliest paths, `puct` those that a seeded tree search visits most. Default `best-first`. */
  readonly search?: "best-first" | "puct";
  /**
   * What a simulated line of `puct` is worth: `corrected` adds up the weights of its tokens; `published` looks up the weight of
   * the wrong token, as the code of the paper does. Default `corrected`.
   */
  readonly backup?: "corrected" | "published";
  /** `I`: simulated lines of a search, 1 to 10,000. Default 150. */
  readonly iterations?: number;
  /** `c_1`, at least 0: the weight of the prior against what was found. Default 32. */
  readonly exploration?: number;
  /** `K`: the most visited paths of a search that become drafts, 1 to 64. Default 24. */
  readonly sentences?: number;
  /** `δ`, above 0: what an occurrence adds to a weight. Default 0.04. */
  readonly step?: number;
  /** `w_max`, above 0: the most that occurrences lift a weight to. Default 3. */
  readonly most?: number;
  /** `w`: the newest tokens, whose occurrences are counted again before every pass. Default 16. */
  readonly window?: number;
  /** Count the whole prompt once, not only its end. Default `true`. */
  readonly learnPrompt?: boolean;
  /** `S`: successors kept of each pair, 1 to 64; the lightest makes room for a new one. Default 12. */
  readonly successors?: number;
}
