import { definePlugin } from "@foretoken/core";
import { namedPart } from "@foretoken/drafting";
import { chimera } from "./chimera.ts";
import { chimeraDraft } from "./chimera-draft.ts";
import { draftSchema, optionsSchema } from "./options.ts";

/**
 * Chimera by name: as a drafter, and as a source that other strategies draw from. In JSON, `head` names a network or its folder among the
 * composing program's resources, or is a folder.
 */
export const plugins = [
  definePlugin({
    specification: "v1",
    kind: "drafter",
    name: "chimera",
    summary: "Drafts trees with a small network on the last three tokens and the target's states.",
    guarantee: "identical",
    options: optionsSchema,
    create: ({ head, ...options }, { resources }) =>
      chimera({ ...options, head: namedPart(head, resources) }),
  }),
  definePlugin({
    specification: "v1",
    kind: "source",
    name: "chimera-draft",
    summary: "Draws drafts from a small network on the last three tokens and the target's states.",
    options: draftSchema,
    create: ({ head }, { resources }) => chimeraDraft({ head: namedPart(head, resources) }),
  }),
];
