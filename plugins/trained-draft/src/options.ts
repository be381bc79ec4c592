import { type FeatureHead, partSchema } from "@foretoken/drafting";
import { z } from "zod";

/** Reads the options of a trained draft. */
export const optionsSchema = z.strictObject({
  head: partSchema<FeatureHead>(),
});

/** Options of {@link trainedDraft}. */
export interface TrainedDraftOptions {
  /**
   * A head trained on the target's own weights: loaded, or the folder that holds its `manifest.json`, as an address or, in Node, a
   * path.
   */
  readonly head: FeatureHead | URL | string;
}
