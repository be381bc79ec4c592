export { autoBudget } from "./auto-budget.ts";
export type { Budget, BudgetContext, Budgeting } from "./budget.ts";
export type {
  DecodeContext,
  Decoder,
  DecodeStep,
  Decoding,
  FinishReason,
  SequenceContext,
  SourceCount,
  StepTimes,
} from "./decoder.ts";
export type { DraftSource, DraftState, DraftWarp } from "./draft-source.ts";
export type { DraftContext, Drafter, Drafting, Probe, ProposeContext, Round } from "./drafter.ts";
export { DecodingError, type ErrorCode, type ErrorDetails, hasCode } from "./errors.ts";
export {
  DecodeEmitter,
  type DecodeEvent,
  type DecodeEvents,
  type FinishEvent,
  type PrefillEvent,
  type StartEvent,
  type StepEvent,
  type TreeNodeData,
} from "./events.ts";
export { type FixedBudgetOptions, fixedBudget } from "./fixed-budget.ts";
export {
  type Generation,
  type GenerationChunk,
  type GenerationStream,
  generate,
  stream,
  type Usage,
} from "./generate.ts";
export type { GenerateOptions } from "./generate-options.ts";
export { type Guarantee, type GuaranteeLevel, guaranteeOf } from "./guarantee.ts";
export { largest } from "./largest.ts";
export { type LawStart, lawStateFor } from "./law-pipeline.ts";
export type { Candidate, LawState, TokenLogProbability } from "./law-state.ts";
export { denseLaw, pointLaw, sparseLaw } from "./laws.ts";
export type { LayerPlan, LayerSchedule } from "./layer-schedule.ts";
export type { LogitsProcessor } from "./logits-processor.ts";
export { mergeTrees } from "./merge.ts";
export {
  type CostCurve,
  type GraphExtension,
  type Model,
  mergeRequirements,
  type Requirements,
  type SessionOptions,
} from "./model.ts";
export { parseOptions } from "./parse-options.ts";
export { kindOfPart, PART_KINDS, type Part, type PartByKind, type PartKind } from "./part-kind.ts";
export { createRegistry, registry } from "./part-registry.ts";
export { type PartInput, type PartJson, part } from "./part-schema.ts";
export { seededRandom } from "./philox.ts";
export { type PlainOptions, plain } from "./plain.ts";
export { definePlugin, type Plugin, type PluginContext, type PluginDefinition } from "./plugin.ts";
export type { Purpose, Random } from "./random.ts";
export {
  argmax,
  entropy,
  logProbabilitiesOf,
  logSumExp,
  type RankAndMass,
  rankAndMass,
  topK,
} from "./reductions.ts";
export type {
  AnnouncedPlugin,
  ComposeOptions,
  PartDescription,
  PartInfo,
  Registry,
} from "./registry.ts";
export type { DepthCount, Report, ReportTimes } from "./report.ts";
export type { SamplingOptions } from "./sampling.ts";
export type {
  BranchOptions,
  DeviceTensor,
  HiddenSite,
  LayerSet,
  Pass,
  PendingRow,
  RowInput,
  Session,
  TopK,
  Wants,
} from "./session.ts";
export { type SpeculativeOptions, speculative } from "./speculative.ts";
export type {
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from "./standard-schema.ts";
export type { StopState } from "./stop.ts";
export { type StopRuleOptions, stopRule } from "./stop-rule.ts";
export type { TokenLaw } from "./token-law.ts";
export { TokenTree, type TreeNode, type Trial } from "./token-tree.ts";
export type {
  ChatMessage,
  ChatTemplateOptions,
  RenderedChat,
  StreamDecoder,
  TextPart,
  Tokenizer,
} from "./tokenizer.ts";
export type { TokenId } from "./tokens.ts";
export type { Tool } from "./tool.ts";
export type { Decision, Verification, Verifier, VisitedNode } from "./verifier.ts";
export { drawAndMatch, rejection } from "./verifiers.ts";
