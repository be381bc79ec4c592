import type { DecodingError } from "../errors.ts";

/** What `action` throws. */
export function thrown(action: () => unknown): DecodingError {
  try {
    action();
  } catch (error) {
    return error as DecodingError;
  }
  throw new Error("Nothing was thrown.");
}
