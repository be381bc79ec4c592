import { partSchema } from "@foretoken/drafting";
import { z } from "zod";
import type { ChimeraHead } from "./chimera-head.ts";

/** Reads the options of Chimera as a source. */
export const draftSchema = z.strictObject({ head: partSchema<ChimeraHead>() });

/** Reads the options of Chimera as a drafter. */
export const optionsSchema = draftSchema.extend({
  nodes: z.int().min(1).max(1024).default(4).describe("Most nodes of a tree"),
});

/** Options of {@link chimeraDraft}. */
export interface ChimeraDraftOptions {
  /**
   * A network trained on the target's own weights: loaded with {@link loadChimera}, or the folder that holds its `manifest.json`, as an
   * address or, in Node, a path.
   */
  readonly head: ChimeraHead | URL | string;
}

/** Options of {@link chimera}. */
export interface ChimeraOptions extends ChimeraDraftOptions {
  /**
   * Most nodes of a tree, 1 to 1024, whatever a budget allows; more nodes make deeper trees, and each level is a pass of the network.
   * Default 4.
   */
  readonly nodes?: number;
}
