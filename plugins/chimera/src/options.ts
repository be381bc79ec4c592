import { z } from "zod";
import type { ChimeraHead } from "./chimera-head.ts";

/** The drafter's name; the source's is `chimera-draft`. */
export const NAME = "chimera";

/** Reads the options of Chimera as a source. */
export const draftSchema = z.strictObject({
  head: z
    .custom<ChimeraDraftOptions["head"]>((value) => isHead(value) || isFolder(value), {
      error: "expected a loaded network, or the folder of one",
    })
    .describe("The folder of the network; in JSON also its name among the resources"),
});

/** Reads the options of Chimera as a drafter. */
export const optionsSchema = draftSchema.extend({
  nodes: z.int().min(1).max(1024).default(4).describe("Most nodes of a tree"),
});

/** Options of {@link chimeraDraft}. */
export interface ChimeraDraftOptions {
  /**
   * A network trained on the target's own weights: loaded, or the folder that holds its `manifest.json`, as an address or, in Node, a
   * path.
   */
  readonly head: ChimeraHead | URL | string;
}

/** Options of {@link chimera}. */
export interface ChimeraOptions extends ChimeraDraftOptions {
  /** Most nodes of a tree, 1 to 1024, whatever a budget allows; more nodes make deeper trees, and each level is a pass of the network. Default 4. */
  readonly nodes?: number;
}

// By shape: it may come from another copy of its package.
export function isHead(value: unknown): value is ChimeraHead {
  return typeof (value as ChimeraHead | undefined)?.tensor === "function";
}

export function isFolder(value: unknown): value is URL | string {
  return value instanceof URL || (typeof value === "string" && value !== "");
}
