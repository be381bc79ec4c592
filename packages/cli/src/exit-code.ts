import type { ErrorCode } from "@foretoken/core";

/** What the process ends with. */
export const EXIT = {
  /** Done; also when the reader of the answer closed its end of the pipe. */
  ok: 0,
  /** It could not be done. */
  failed: 1,
  /** The command line asks for something that cannot be: an unknown flag, a value out of range, an empty prompt. */
  usage: 2,
  /** Ctrl-C; what was made until then is printed. */
  interrupted: 130,
} as const;

/** Codes of errors that another command line would not have met. */
const USAGE_CODES: readonly string[] = [
  "INVALID_OPTION",
  "UNKNOWN_PART",
  "WRONG_KIND",
  "EMPTY_PROMPT",
] satisfies readonly ErrorCode[];

/** The exit code that an error's code stands for. */
export function exitCodeOf(code: string): number {
  if (code === "ABORTED") return EXIT.interrupted;
  return USAGE_CODES.includes(code) ? EXIT.usage : EXIT.failed;
}
