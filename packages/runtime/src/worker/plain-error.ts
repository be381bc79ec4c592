import { DecodingError, type ErrorCode, hasCode } from "@foretoken/core";

/** An error as data that can be posted. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  /** Of a `DecodingError`. */
  readonly code?: ErrorCode;
  readonly fix?: string;
  readonly stack?: string;
  readonly cause?: PlainError;
}

/** Causes deeper than this are cut: they may refer to each other. */
const MOST_CAUSES = 4;

/** What a page needs of whatever was thrown; objects that cannot be posted stay behind. */
export function toPlainError(error: unknown, causes = MOST_CAUSES): PlainError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack } = error;
  const cause = error.cause === undefined || causes === 0 ? undefined : toPlainError(error.cause, causes - 1);
  const known = hasCode(error) ? { code: error.code, fix: error.fix } : {};
  return { name, message, stack, cause, ...known };
}

/** The error again: a `DecodingError` when it was one. Its stack is the worker's. */
export function fromPlainError({ name, message, code, fix, stack, cause: plainCause }: PlainError): Error {
  const cause = plainCause && fromPlainError(plainCause);
  const error =
    code === undefined
      ? Object.assign(new Error(message, { cause }), { name })
      : new DecodingError(code, { message, fix: fix ?? "", cause });
  if (stack !== undefined) error.stack = stack;
  return error;
}
