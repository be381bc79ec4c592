import { DecodingError } from "@foretoken/core";

/** A hub that does not answer by then is out of reach; other sources wait for that. */
const ANSWER_WITHIN_MS = 4_500;
/** A transfer that stands still for so long is dead. */
const STALLED_AFTER_MS = 30_000;

/** What is asked of an address. */
export interface HttpFileOptions {
  /** Bytes the file has; an answer that announces another length is refused at once. */
  readonly size: number;
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer must begin; default 4,500. */
  readonly answerWithinMs?: number;
}

/**
 * The bytes at an address.
 *
 * @throws `DecodingError` `DOWNLOAD_FAILED` with what happened. On abort, the signal's reason.
 */
export async function* httpFile(
  url: string,
  { size, signal, answerWithinMs = ANSWER_WITHIN_MS }: HttpFileOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const timer = new AbortController();
  const stopAfter = (ms: number) =>
    setTimeout(() => timer.abort(new Error(`nothing came for ${ms / 1000} seconds`)), ms);
  let timeout = stopAfter(answerWithinMs);
  try {
    const response = await fetch(url, {
      headers: { "accept-encoding": "identity" },
      signal: signal ? AbortSignal.any([signal, timer.signal]) : timer.signal,
    });
    if (!response.ok || !response.body) throw new Error(`it answered ${response.status}`);
    const announced = response.headers.get("content-length");
    if (announced !== null && Number(announced) !== size) {
      throw new Error(`it offers ${announced} bytes, the file has ${size}`);
    }
    for await (const chunk of response.body) {
      clearTimeout(timeout);
      yield chunk;
      timeout = stopAfter(STALLED_AFTER_MS);
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new DecodingError("DOWNLOAD_FAILED", {
      message: `${new URL(url).host}: ${reason(timer.signal.aborted ? timer.signal.reason : error)}.`,
      fix: "Check the connection and try again.",
      cause: error,
    });
  } finally {
    clearTimeout(timeout);
    timer.abort();
  }
}

/** `fetch` hides what happened in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
