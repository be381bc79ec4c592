import { definePlugin } from "@foretoken/core";
import { optionsSchema } from "./options.ts";
import { promptLookup } from "./prompt-lookup.ts";

/** Prompt lookup by name. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "prompt-lookup",
  summary: "Drafts the continuation of the longest earlier match of the last tokens.",
  guarantee: "identical",
  options: optionsSchema,
  create: (options) => promptLookup(options),
});
