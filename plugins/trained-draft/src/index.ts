export type { TrainedDraftOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { trainedDraft } from "./trained-draft.ts";
