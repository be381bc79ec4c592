export { type Batch, type BatchOptions, measureBatch } from "./batch.ts";
export { type BootstrapOptions, bootstrapInterval, type Interval } from "./bootstrap.ts";
export type { Answer, AnswerOptions, Contestant } from "./contestant.ts";
export { type BenchDecoder, decoderContestant } from "./decoder-contestant.ts";
export { checkExactness, type Exactness, type ExactnessOptions, type Parting } from "./exactness.ts";
export { type Fidelity, type FidelityOptions, measureFidelity } from "./fidelity.ts";
export { type LongContext, type LongContextOptions, measureLongContext } from "./long-context.ts";
export { type Machine, thisMachine } from "./machine.ts";
export { measureNoise, type Noise, type NoiseOptions } from "./noise.ts";
export { paddedPlain } from "./padded-plain.ts";
export { openPeers, type PeerOptions } from "./peers/open-peers.ts";
export { type BenchPrompt, type PromptSelection, readPrompts } from "./prompts.ts";
export {
  measureQuality,
  type QualityContestant,
  type QualityDecoder,
  type QualityMeasurement,
  type QualityOptions,
  type QualityProgress,
  type QualityResult,
} from "./quality/measure-quality.ts";
export { qualityTable } from "./quality/quality-table.ts";
export { qualityTasks, type TaskSelection } from "./quality/quality-tasks.ts";
export { type Estimate, type QualityRow, summarizeQuality } from "./quality/summarize-quality.ts";
export type { QualityTask } from "./quality/task.ts";
export { type RecordOptions, recordAnswer } from "./record-answer.ts";
export { type RecordedAnswer, readRecordedAnswers } from "./recorded-answer.ts";
export { type RecordedModelOptions, recordedModel } from "./recorded-model.ts";
export { DEFAULT_PRICES, type ReplayOptions, type ReplayRow, replay, replayTable } from "./replay.ts";
export {
  type BenchOptions,
  type BenchProgress,
  type BenchResult,
  type Measurement,
  runBench,
} from "./run-bench.ts";
export {
  type MemoryGrowth,
  measureMemory,
  measureStartup,
  type ProcessOptions,
  type Startup,
} from "./startup.ts";
export { ALL_GROUPS, type SpeedUp, type SummaryRow, summarize } from "./summarize.ts";
export { summaryTable } from "./summary-table.ts";
export { type Column, textTable } from "./text-table.ts";
