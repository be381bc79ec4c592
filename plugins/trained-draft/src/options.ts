import type { FeatureHead } from "@foretoken/drafting";
import { z } from "zod";

/** Reads the options of a trained draft. */
export const optionsSchema = z.strictObject({
  head: z
    .custom<TrainedDraftOptions["head"]>((value) => isHead(value) || isFolder(value), {
      error: "expected a loaded head, or the folder of one",
    })
    .describe("The folder of the head; in JSON also its name among the resources"),
});

/** Options of {@link trainedDraft}. */
export interface TrainedDraftOptions {
  /**
   * A head trained on the target's own weights: loaded, or the folder that holds its `manifest.json`, as an address or, in Node, a
   * path.
   */
  readonly head: FeatureHead | URL | string;
}

// By shape: the head may come from another copy of its package.
export function isHead(value: unknown): value is FeatureHead {
  return typeof (value as FeatureHead | undefined)?.tensor === "function";
}

export function isFolder(value: unknown): value is URL | string {
  return value instanceof URL || (typeof value === "string" && value !== "");
}
