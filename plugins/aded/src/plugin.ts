import { definePlugin } from "@foretoken/core";
import { namedSuccessors } from "@foretoken/drafting";
import { aded } from "./aded.ts";
import { optionsSchema } from "./options.ts";

/** ADED by name. In JSON, `table` and `start` are names of resources of the composing program, or paths. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "aded",
  summary: "Drafts from statistics of three tokens that learn while decoding.",
  guarantee: "identical",
  options: optionsSchema,
  create: ({ table, start, ...options }, { resources }) =>
    aded({
      ...options,
      table: namedSuccessors(table, resources),
      start: namedSuccessors(start, resources),
    }),
});
