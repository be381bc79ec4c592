export type { PromptLookupOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { promptLookup } from "./prompt-lookup.ts";
