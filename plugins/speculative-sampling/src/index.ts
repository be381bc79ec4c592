export type { SpeculativeSamplingOptions } from "./options.ts";
export { plugin, plugin as default } from "./plugin.ts";
export { speculativeSampling } from "./speculative-sampling.ts";
