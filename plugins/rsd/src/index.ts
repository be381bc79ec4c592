export type { RsdOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { rsd } from "./rsd.ts";
