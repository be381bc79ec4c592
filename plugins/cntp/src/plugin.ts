import { definePlugin } from "@foretoken/core";
import { cntp } from "./cntp.ts";
import { optionsSchema } from "./options.ts";

/** Cautious decoding by name, around any decoder. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "decoder",
  name: "cntp",
  summary: "Tries several continuations where the model is unsure and keeps the likeliest.",
  guarantee: "altered",
  options: optionsSchema,
  create: cntp,
});
