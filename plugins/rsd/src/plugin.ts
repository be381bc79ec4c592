import { definePlugin } from "@foretoken/core";
import { optionsSchema } from "./options.ts";
import { rsd } from "./rsd.ts";

/** Recursive speculative decoding by name. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "rsd",
  summary: "Drafts trees whose siblings are drawn without replacement.",
  guarantee: "distribution",
  options: optionsSchema,
  create: (options) => rsd(options),
});
