export type { DeviceName } from "./device/backend.ts";
export type { GraphBuilder, NodeOptions, Value, WeightSource } from "./graph/graph-builder.ts";
export type { GraphExtension } from "./graph/graph-extension.ts";
export { loadRuntime, type RuntimeModel, type RuntimeOptions } from "./load-runtime.ts";
