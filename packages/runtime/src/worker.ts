export type { CostTable } from "./cost-curve.ts";
export type { SelfTestVerdict } from "./self-test.ts";
export { CATALOG, type CatalogEntry, type PythonPackage } from "./sources/catalog.ts";
export { createWorkerModel } from "./worker/create-worker-model.ts";
export type { LoadModel } from "./worker/draft-models.ts";
export { type ServeModelOptions, serveModel } from "./worker/serve-model.ts";
export type {
  WorkerChunkEvent,
  WorkerEvent,
  WorkerStepEvent,
  WorkerTreeNode,
} from "./worker/worker-events.ts";
export type {
  WorkerCost,
  WorkerGenerateOptions,
  WorkerGeneration,
  WorkerModel,
  WorkerModelInfo,
  WorkerModelOptions,
  WorkerPart,
} from "./worker/worker-model.ts";
export type { WorkerPort } from "./worker/worker-port.ts";
