export { decodeHidden, type HiddenCode } from "./scripted/hidden-code.ts";
export type { AwaitPoint, Faults, Inspection, PassRecord, RowRecord } from "./scripted/inspection.ts";
export type { Script, ScriptedRow } from "./scripted/script.ts";
export { forcedText, type RandomLawOptions, randomLaw } from "./scripted/scripted-laws.ts";
export { type ScriptedModel, type ScriptedModelOptions, scriptedModel } from "./scripted/scripted-model.ts";
export { type ScriptedTokenizerOptions, scriptedTokenizer } from "./scripted/scripted-tokenizer.ts";
