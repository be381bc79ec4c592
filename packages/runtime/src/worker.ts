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
