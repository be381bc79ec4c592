export type { PpdOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { ppd } from "./ppd.ts";
export { loadPromptTokens, type PromptTokensShape } from "./prompt-tokens.ts";
