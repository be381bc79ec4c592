import { definePlugin } from "@foretoken/core";
import { dyspec } from "./dyspec.ts";
import { optionsSchema } from "./options.ts";

/** Dynamic trees by name. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "dyspec",
  summary: "Drafts trees that grow where the draft is most likely to be right.",
  guarantee: "distribution",
  options: optionsSchema,
  create: (options) => dyspec(options),
});
