export {
  type LexicalUnits,
  type LexicalUnitsShape,
  loadLexicalUnits,
} from "./lexical-units.ts";
export { lud } from "./lud.ts";
export { ludDraft } from "./lud-draft.ts";
export type { KeptToken, LudDraftOptions, LudOptions } from "./options.ts";
export { plugins } from "./plugin.ts";
export type { RepetitionRule } from "./repetition.ts";
