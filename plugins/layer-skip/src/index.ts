export { layerSkip } from "./layer-skip.ts";
export type { LayerSkipOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
