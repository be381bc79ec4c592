export { auditedDrafter, type DraftAudit, newAudit } from "./drafters/audited-drafter.ts";
export { type DraftTreesOptions, draftTrees } from "./drafters/draft-trees.ts";
export {
  type DraftFault,
  draftFaults,
  type FaultyDrafterOptions,
  faultyDrafter,
} from "./drafters/faulty-drafter.ts";
export {
  type KnowingDrafterOptions,
  oracleDrafter,
  type RandomDrafterOptions,
  randomDrafter,
  silentDrafter,
  wrongDrafter,
} from "./drafters/known-drafters.ts";
export { mixedDrafter, type SampledDrafterOptions, sampledDrafter } from "./drafters/sampled-drafter.ts";
export {
  type ScriptedSource,
  type ScriptedSourceOptions,
  scriptedSource,
} from "./drafters/scripted-source.ts";
export { type TextDrafterOptions, textDrafter } from "./drafters/text-drafter.ts";
export { wrongTrees } from "./drafters/wrong-trees.ts";
export { type CompareDraftsOptions, compareDrafts } from "./law/compare-drafts.ts";
export {
  compareLaw,
  countTexts,
  type ExpectLawOptions,
  expectLaw,
  fitsLaw,
  type LawComparison,
} from "./law/compare-law.ts";
export { type ExactLawOptions, exactLaw, type TextLaw, textKey } from "./law/exact-law.ts";
export { type Path, referenceLaw } from "./law/reference-law.ts";
export { decodeHidden, type HiddenCode } from "./scripted/hidden-code.ts";
export type { AwaitPoint, Faults, Inspection, PassRecord, RowRecord } from "./scripted/inspection.ts";
export type { Script, ScriptedRow } from "./scripted/script.ts";
export { forcedText, type RandomLawOptions, randomLaw } from "./scripted/scripted-laws.ts";
export { type ScriptedModel, type ScriptedModelOptions, scriptedModel } from "./scripted/scripted-model.ts";
export { type ScriptedTokenizerOptions, scriptedTokenizer } from "./scripted/scripted-tokenizer.ts";
export type { Check, Skips } from "./suites/check.ts";
export type { DecoderTestOptions } from "./suites/decoder-bench.ts";
export { decoderChecks, testDecoder } from "./suites/test-decoder.ts";
export { type DrafterTestOptions, drafterChecks, testDrafter } from "./suites/test-drafter.ts";
export { type ModelTestOptions, modelChecks, testModel } from "./suites/test-model.ts";
export { type ProcessorTestOptions, processorChecks, testProcessor } from "./suites/test-processor.ts";
export { type SourceTestOptions, sourceChecks, testSource } from "./suites/test-source.ts";
export { testVerifier, type VerifierTestOptions, verifierChecks } from "./suites/test-verifier.ts";
export { type TinySizes, tinyGguf } from "./tiny/tiny-gguf.ts";
export { tinyModel } from "./tiny/tiny-model.ts";
