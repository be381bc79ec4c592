export type { TypicalAcceptanceOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { typicalAcceptance } from "./typical-acceptance.ts";
