export { bigram } from "./bigram.ts";
export { type MakeBigramTableOptions, makeBigramTable } from "./make-bigram-table.ts";
export type { BigramOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
