import { definePlugin } from "@foretoken/core";
import { layerSkip } from "./layer-skip.ts";
import { optionsSchema } from "./options.ts";

/** Layer skipping by name. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "source",
  name: "layer-skip",
  summary: "Drafts with the target itself, some of its layers left out.",
  options: optionsSchema,
  create: (options) => layerSkip(options),
});
