export type { DeviceName } from "./device/backend.ts";
export type { GraphBuilder, NodeOptions, Value, WeightSource } from "./graph/graph-builder.ts";
export type { GraphExtension } from "./graph/graph-extension.ts";
export { type LoadedModel, type LoadModelOptions, loadModel } from "./load-model.ts";
export { loadRuntime, type RuntimeModel, type RuntimeOptions } from "./load-runtime.ts";
export { cacheFolder } from "./sources/cache-folder.ts";
export { CATALOG, type CatalogEntry, type PythonPackage } from "./sources/catalog.ts";
export { type FindModelOptions, type FoundModel, findModel } from "./sources/find-model.ts";
export type { LoadProgress, OnProgress } from "./sources/progress.ts";
export { tokenizerFromGguf } from "./tokenizer/gguf-tokenizer.ts";
export { type TokenizerFiles, tokenizerFromFiles } from "./tokenizer/tokenizer-files.ts";
export { adaptedWeights, type LowRankDelta, type WeightDeltas } from "./weights/adapted-weights.ts";
export { type ByteSource, blobSource, bytesSource, fileSource } from "./weights/byte-source.ts";
export { type DraftHead, headWeights } from "./weights/head-weights.ts";
export type { WeightDtype } from "./weights/linear-layout.ts";
export type {
  ModelConfig,
  ModelWeights,
  StoredTensor,
  StoredType,
  WeightRole,
} from "./weights/model-weights.ts";
export { openGguf } from "./weights/open-gguf.ts";
