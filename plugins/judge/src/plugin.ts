import { definePlugin } from "@foretoken/core";
import { judge } from "./judge.ts";
import { isFolder, isHead, optionsSchema } from "./options.ts";

/** Where a judge is looked for among the composing program's resources when JSON names none. */
const DEFAULT_RESOURCE = "judge-head";

/** The judge by name. In JSON, `head` names a judge or its folder among the composing program's resources, or is a folder. */
export const plugin = definePlugin({
  specification: "v1",
  kind: "verifier",
  name: "judge",
  summary: "Keeps refused drafts that a trained judge holds to be right.",
  guarantee: "altered",
  options: optionsSchema,
  create: ({ head, ...options }, { resources }) => {
    const name = head ?? (options.control === undefined ? DEFAULT_RESOURCE : undefined);
    const resource = typeof name === "string" ? resources[name] : undefined;
    return judge({ ...options, head: isHead(resource) || isFolder(resource) ? resource : head });
  },
});
