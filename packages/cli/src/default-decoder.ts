import type { Decoder } from "@foretoken/core";
import { shippedRegistry } from "./parts.ts";

/**
 * How a bare prompt is decoded, as JSON: drafts continue the longest earlier match of the newest tokens, and the target
 * verifies as many of them as are worth their rows. Its promise is `identical`: the text is plain decoding's.
 */
export const DEFAULT_DECODER = { use: "speculative", drafters: ["prompt-lookup"], budget: "auto" };

/** The decoder of {@link DEFAULT_DECODER}. */
export function defaultDecoder(): Decoder {
  return shippedRegistry().compose("decoder", DEFAULT_DECODER);
}
