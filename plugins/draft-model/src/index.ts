export { draftModel } from "./draft-model.ts";
export type { DraftModelOptions, LoadDraft } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
