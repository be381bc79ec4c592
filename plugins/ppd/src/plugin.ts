import { definePlugin } from "@foretoken/core";
import { namedPart } from "@foretoken/drafting";
import { optionsSchema } from "./options.ts";
import { ppd } from "./ppd.ts";

/** PPD by name. In JSON, `head` names prompt tokens or their folder among the composing program's resources, or is a folder. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "ppd",
  summary: "Drafts from trained prompt tokens that run in the verifying pass.",
  guarantee: "identical",
  options: optionsSchema,
  create: ({ head, ...options }, { resources }) => ppd({ ...options, head: namedPart(head, resources) }),
});
