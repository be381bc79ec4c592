import { hasCode } from "@foretoken/core";

/** An error as the page shows it. */
export interface ShownError {
  readonly code: string;
  readonly message: string;
  /** What the reader can do about it; errors that are not Foretoken's have none. */
  readonly fix: string | undefined;
}

/** What there is to show of anything thrown. */
export function shownError(error: unknown): ShownError {
  if (hasCode(error)) return { code: error.code, message: error.message, fix: error.fix };
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  return { code: name, message, fix: undefined };
}
