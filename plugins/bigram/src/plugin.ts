import { definePlugin } from "@foretoken/core";
import { namedSuccessors } from "@foretoken/drafting";
import { bigram } from "./bigram.ts";
import { optionsSchema } from "./options.ts";

/** The bigram drafter by name. In JSON, `table` is the name of a resource of the composing program, or a path. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "bigram",
  summary: "Drafts a tree from the model's own predictions behind single tokens.",
  guarantee: "identical",
  options: optionsSchema,
  create: ({ table, ...options }, { resources }) =>
    bigram({ ...options, table: namedSuccessors(table, resources) }),
});
