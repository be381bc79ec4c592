import { DecodingError, hasCode } from "./errors.ts";

/** Names the part an error came out of. Errors of ours stay as they are. */
export function asPartFailure(error: unknown, role: string, name: string): DecodingError {
  if (hasCode(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new DecodingError("PART_FAILED", {
    message: `${role} ${name} failed: ${reason}`,
    fix: `Nothing is lost: the session stands at its last commit. Leave ${name} out, or report this to its author.`,
    cause: error,
  });
}
