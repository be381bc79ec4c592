import { definePlugin } from "@foretoken/core";
import { optionsSchema } from "./options.ts";
import { skipDecode } from "./skip-decode.ts";
import { skipDecodeDraft } from "./skip-decode-draft.ts";

/** SkipDecode by name: as the schedule it is, and as a draft of the same target. */
export const plugins = [
  definePlugin({
    specification: "v1",
    kind: "schedule",
    name: "skip-decode",
    summary: "Runs fewer layers the further an answer goes.",
    guarantee: "altered",
    options: optionsSchema,
    create: (options) => skipDecode(options),
  }),
  definePlugin({
    specification: "v1",
    kind: "source",
    name: "skip-decode-draft",
    summary: "Drafts with fewer of the target's layers the further an answer goes.",
    options: optionsSchema,
    create: (options) => skipDecodeDraft(options),
  }),
];
