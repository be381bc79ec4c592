export { dyspec } from "./dyspec.ts";
export type { DyspecOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
