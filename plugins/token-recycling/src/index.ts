export type { TokenRecyclingOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { tokenRecycling } from "./token-recycling.ts";
