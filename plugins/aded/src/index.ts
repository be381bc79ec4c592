export { aded } from "./aded.ts";
export type { AdedOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { type TableFromFolderOptions, tableFromFolder } from "./table-from-folder.ts";
export { type TableFromTextsOptions, tableFromTexts } from "./table-from-texts.ts";
