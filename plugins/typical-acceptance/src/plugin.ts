import { definePlugin } from "@foretoken/core";
import { optionsSchema } from "./options.ts";
import { typicalAcceptance } from "./typical-acceptance.ts";

/** Typical acceptance by name. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "verifier",
  name: "typical-acceptance",
  summary: "Keeps drafts that are typical of the target's law.",
  guarantee: "altered",
  options: optionsSchema,
  create: (options) => typicalAcceptance(options),
});
