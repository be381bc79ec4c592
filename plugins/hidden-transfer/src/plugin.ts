import { definePlugin } from "@foretoken/core";
import { namedPart } from "@foretoken/drafting";
import { hiddenTransfer } from "./hidden-transfer.ts";
import { optionsSchema } from "./options.ts";

/** Hidden transfer by name. In JSON, `head` names maps or their folder among the composing program's resources, or is a folder. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "hidden-transfer",
  summary: "Drafts from states that trained maps move to the tokens to come, in the verifying pass.",
  guarantee: "identical",
  options: optionsSchema,
  create: ({ head, ...options }, { resources }) =>
    hiddenTransfer({ ...options, head: namedPart(head, resources) }),
});
