import { isSuccessorTable, type SuccessorTable, type TableStore } from "@foretoken/drafting";
import { z } from "zod";

/** Reads the options of token recycling. */
export const optionsSchema = z.strictObject({
  nodes: z.int().min(1).max(1024).default(2).describe("Nodes of a tree where no budget says otherwise"),
  candidatesPerToken: z.int().min(1).max(64).default(8).describe("Candidates kept for each token"),
  template: z
    .array(z.array(z.int().min(0)))
    .min(1)
    .optional()
    .describe("Child counts of the tree's places, level by level"),
  seedFromPrompt: z.boolean().default(false).describe("Also keep the candidates of all prompt rows"),
  start: z
    .string()
    .or(z.custom<SuccessorTable>(isSuccessorTable, { error: "expected a table of successors or its path" }))
    .optional()
    .describe("Candidates to begin with: a table, or the path of its file; in JSON also a resource's name"),
  store: z.custom<TableStore>(isStore, { error: "expected a TableStore" }).optional(),
  copyStore: z.boolean().default(false).describe("Start from the store's table, but learn in a copy"),
});

/** The same in JSON, where the store is named. */
export const jsonSchema = optionsSchema.extend({
  store: optionsSchema.shape.store
    .or(z.string())
    .describe("Tables to share with other sequences: the name of a TableStore among the resources"),
});

// By shape: the store may come from another copy of its package.
function isStore(value: unknown): boolean {
  return typeof (value as TableStore | undefined)?.tableFor === "function";
}

/** Options of {@link tokenRecycling}. */
export interface TokenRecyclingOptions {
  /** Nodes of a tree where no budget says otherwise, 1 to 1024; the template is cut to them. Default 2. */
  readonly nodes?: number;
  /** `k`: candidates kept for each token, 1 to 64, at least as many as a place of the template has children. Default 8. */
  readonly candidatesPerToken?: number;
  /** Child counts of the tree's places, level by level. Default the published template of 80 nodes. */
  readonly template?: readonly (readonly number[])[];
  /** Also keep the candidates of all prompt rows: a warm table, for a longer prefill. Default `false`. */
  readonly seedFromPrompt?: boolean;
  /**
   * Candidates to begin with, such as a bigram table holds: a table of successors of single tokens, or the path of its file. It is
   * read only. Default none; a store has its own.
   */
  readonly start?: SuccessorTable | string;
  /** Tables to share with other sequences, read and written. Default a table of its own for each sequence. */
  readonly store?: TableStore;
  /** Start from the store's table, but learn in a copy that only this sequence sees. Default `false`. */
  readonly copyStore?: boolean;
}
