import { definePlugin } from "@foretoken/core";
import { optionsSchema } from "./options.ts";
import { speculativeSampling } from "./speculative-sampling.ts";

/** Speculative sampling by name. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "speculative-sampling",
  summary: "Drafts a chain of tokens drawn from a cheaper model.",
  guarantee: "distribution",
  options: optionsSchema,
  create: (options) => speculativeSampling(options),
});
