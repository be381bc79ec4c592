import { DecodingError } from "@foretoken/core";

/** What a call gets whose session or model is gone. */
export function disposed(what: "model" | "session"): DecodingError {
  return new DecodingError("DISPOSED", {
    message: `The ${what} was disposed.`,
    fix: what === "model" ? "Load the model again." : "Create a new session with model.createSession().",
  });
}

/** What a call gets whose signal was aborted. */
export function aborted(signal: AbortSignal): DecodingError {
  return new DecodingError("ABORTED", {
    message: "The pass was aborted by its signal.",
    fix: "Call again without the signal to go on from the last commit.",
    cause: signal.reason,
  });
}

/** What a call gets that breaks the rules for rows. */
export function invalidRow(fault: string, fix: string): DecodingError {
  return new DecodingError("INVALID_ROW", { message: `Not a legal use of rows: ${fault}.`, fix });
}

/** What a read gets that comes too late. */
export function rowFreed(position: number, what: string): DecodingError {
  return new DecodingError("ROW_FREED", {
    message: `${what} of the row at position ${position} can no longer be read: the row is text or freed.`,
    fix: "Read what you need before you commit or discard.",
  });
}
