import { isSuccessorTable, type SuccessorTable } from "@foretoken/drafting";
import { z } from "zod";

/** Reads the options of the bigram drafter. */
export const optionsSchema = z.strictObject({
  table: z
    .string()
    .or(z.custom<SuccessorTable>(isSuccessorTable, { error: "expected a table of successors or its path" }))
    .optional()
    .describe("What follows each token: a table, or the path of its file; in JSON also a resource's name"),
  nodes: z.int().min(1).max(1024).default(2).describe("Nodes of a tree where no budget says otherwise"),
  widths: z
    .array(z.int().min(1).max(64))
    .min(1)
    .max(64)
    .default([4, 2, 1, 1])
    .describe("Children of a node at most, level by level"),
  update: z.boolean().default(true).describe("Also count what follows what in this text"),
  beta: z.number().positive().default(1).describe("Tokens of text that a prediction of the table counts for"),
});

/** Options of {@link bigram}. */
export interface BigramOptions {
  /**
   * What follows each token, such as {@link makeBigramTable} makes: the table, or the path of its file. It is shared and
   * never written to. Default none: only what follows what in this text.
   */
  readonly table?: SuccessorTable | string;
  /** Nodes of a tree where no budget says otherwise, 1 to 1024. Default 2. */
  readonly nodes?: number;
  /** Children of a node at most, from the root's level on; there are as many levels as widths. Default 4, 2, 1, 1. */
  readonly widths?: readonly number[];
  /** Also count what follows what in this text, for this text alone. Default `true`. */
  readonly update?: boolean;
  /** `β`, above 0: for how many counted tokens a prediction of the table stands. Default 1. */
  readonly beta?: number;
}
