import { type DraftSource, part } from "@foretoken/core";
import { z } from "zod";
import { branchingNodes } from "./constant-branching.ts";

/** Most nodes of a tree. */
const MOST_NODES = 1024;

/** Reads the options of recursive speculative decoding. */
export const optionsSchema = z
  .strictObject({
    source: part("source").describe("What drafts are drawn from"),
    width: z.int().min(1).max(64).optional().describe("RSD-S: nodes of a level at most; default 3"),
    depth: z.int().min(1).max(64).optional().describe("RSD-S: levels at most; default 4"),
    branching: z
      .array(z.int().min(1).max(64))
      .min(1)
      .max(64)
      .optional()
      .describe("RSD-C instead of RSD-S: children of a node, level by level"),
    temperature: z
      .number()
      .positive()
      .max(100)
      .optional()
      .describe("Of draft laws; default the target's, and 0.6 where that is 0"),
    topK: z.int().min(0).default(64).describe("Tokens of a draft law at most; 0 keeps all"),
  })
  .refine(({ branching, width, depth }) => branching === undefined || (width ?? depth) === undefined, {
    path: ["branching"],
    message: "cannot be combined with width and depth, which shape the other kind of tree",
  })
  .refine(({ branching = [] }) => branchingNodes(branching) <= MOST_NODES, {
    path: ["branching"],
    message: `must not give more than ${MOST_NODES} nodes`,
  });

/** Options of {@link rsd}. */
export interface RsdOptions {
  /** What drafts are drawn from. */
  readonly source: DraftSource;
  /** RSD-S: `W`, nodes of a level at most, 1 to 64. Default 3. */
  readonly width?: number;
  /** RSD-S: `L`, levels at most, 1 to 64. Default 4. */
  readonly depth?: number;
  /**
   * RSD-C instead of RSD-S: `b`, children of a node, level by level, each 1 to 64, of at most 1024 nodes together. Excludes
   * `width` and `depth`.
   */
  readonly branching?: readonly number[];
  /** Temperature of draft laws, above 0. Default the target's, and 0.6 where that is 0. */
  readonly temperature?: number;
  /** `M`: tokens of a draft law at most; the law is cut to them before anything is drawn; 0 keeps all. Default 64. */
  readonly topK?: number;
}
