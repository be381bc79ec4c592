import { definePlugin } from "@foretoken/core";
import { namedPart } from "@foretoken/drafting";
import { optionsSchema } from "./options.ts";
import { trainedDraft } from "./trained-draft.ts";

/** A trained draft by name. In JSON, `head` names a head or its folder among the composing program's resources, or is a folder. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "source",
  name: "trained-draft",
  summary: "Drafts with a small trained head that continues the target's hidden states.",
  options: optionsSchema,
  create: ({ head }, { resources }) => trainedDraft({ head: namedPart(head, resources) }),
});
