export type { SkipDecodeOptions } from "./options.ts";
export { plugins } from "./plugin.ts";
export { skipDecode } from "./skip-decode.ts";
export { skipDecodeDraft } from "./skip-decode-draft.ts";
