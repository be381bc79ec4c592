import { definePlugin } from "@foretoken/core";
import { namedPart } from "@foretoken/drafting";
import { lud } from "./lud.ts";
import { ludDraft } from "./lud-draft.ts";
import { draftOptionsSchema, optionsSchema } from "./options.ts";

/** LUD by name: as the decoder it is, and as a draft. In JSON, `head` names paddings or their folder among the composing program's resources, or is a folder. */
export const plugins = [
  definePlugin({
    specification: "v1",
    kind: "decoder",
    name: "lud",
    summary: "Keeps several tokens a pass where trained paddings are sure of them.",
    guarantee: "altered",
    options: optionsSchema,
    create: ({ head, ...options }, { resources }) => lud({ ...options, head: namedPart(head, resources) }),
  }),
  definePlugin({
    specification: "v1",
    kind: "drafter",
    name: "lud-draft",
    summary: "Drafts what trained paddings in the verifying pass are sure of.",
    guarantee: "identical",
    options: draftOptionsSchema,
    create: ({ head, ...options }, { resources }) =>
      ludDraft({ ...options, head: namedPart(head, resources) }),
  }),
];
