/**
 * Every code a `DecodingError` can carry. Codes are stable: match on them, never on wording.
 */
export type ErrorCode =
  // options and composition
  | "INVALID_OPTION"
  | "UNKNOWN_PART"
  | "NAME_TAKEN"
  | "WRONG_SPECIFICATION"
  | "WRONG_KIND"
  | "INVALID_PLUGIN"
  | "UNSUPPORTED"
  // what a caller may send
  | "EMPTY_PROMPT"
  | "PROMPT_TOO_LONG"
  | "INVALID_MESSAGES"
  | "NO_CHAT_TEMPLATE"
  | "UNKNOWN_TOKEN"
  // sessions and passes
  | "ABORTED"
  | "DISPOSED"
  | "SESSION_BUSY"
  | "POOL_FULL"
  | "CONTEXT_FULL"
  | "CACHE_HOLE"
  | "INVALID_ROW"
  | "ROW_FREED"
  | "SHAPE_MISMATCH"
  // laws and parts
  | "INVALID_LOGITS"
  | "EMPTY_LAW"
  | "INVALID_DRAFT"
  | "PART_FAILED"
  // loading
  | "MODEL_NOT_FOUND"
  | "NOT_A_MODEL"
  | "CORRUPT_MODEL"
  | "UNSUPPORTED_MODEL"
  | "CHECKSUM_MISMATCH"
  | "CACHE_NOT_WRITABLE"
  | "DOWNLOAD_FAILED"
  | "VOCABULARY_MISMATCH"
  | "TABLE_INVALID"
  // devices
  | "DEVICE_UNAVAILABLE"
  | "DEVICE_LOST"
  | "DEVICE_FAILED"
  | "WORKER_LOST"
  | "SELF_TEST_FAILED";

/** What a `DecodingError` tells besides its code. */
export interface ErrorDetails {
  /** One sentence with the offending values in it. */
  readonly message: string;
  /** One sentence the reader can carry out. */
  readonly fix: string;
  /** The error that led here, when there was one. */
  readonly cause?: unknown;
}

/**
 * The one error class of Foretoken.
 *
 * An application may hold two copies of this package: match on {@link DecodingError.code}, not on
 * `instanceof`. {@link hasCode} does that.
 */
export class DecodingError extends Error {
  /** What went wrong, stable across versions. */
  readonly code: ErrorCode;
  /** What the reader can do about it. */
  readonly fix: string;

  constructor(code: ErrorCode, { message, fix, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "DecodingError";
    this.code = code;
    this.fix = fix;
  }
}

/** Whether `error` is a `DecodingError`, of any copy of this package, with one of `codes` (any code when empty). */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is DecodingError {
  if (!(error instanceof Error) || error.name !== "DecodingError") return false;
  return codes.length === 0 || codes.includes((error as DecodingError).code);
}
