import { DecodingError } from "@foretoken/core";

/** A transfer that stands still for so long is dead. */
const STALLED_AFTER_MS = 30_000;

/** What is asked of an address. */
export interface HttpRequest {
  readonly method?: "GET" | "HEAD";
  /** First byte wanted; default 0. A server may answer with the whole file all the same. */
  readonly from?: number;
  readonly signal?: AbortSignal;
  /** Milliseconds until the answer must begin. */
  readonly answerWithinMs: number;
}

/** A file that begins to come. */
export interface HttpAnswer {
  readonly status: number;
  /** Offset of the first byte. */
  readonly from: number;
  /** Bytes of the whole file; `undefined` when the server does not say, or compresses what it sends. */
  readonly total: number | undefined;
  /** Tells versions of the file apart: `ETag`, else `Last-Modified`. */
  readonly validator: string | undefined;
  /** The bytes from `from` on, once. @throws As {@link openHttp} */
  bytes(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Ends the connection; for who does not read the bytes. */
  cancel(): void;
}

/**
 * Asks for a file.
 *
 * @throws `DecodingError` `DOWNLOAD_FAILED` with what happened, also for statuses that are no success. On abort, the signal's reason.
 */
export async function openHttp(
  url: string,
  { method = "GET", from = 0, signal, answerWithinMs }: HttpRequest,
): Promise<HttpAnswer> {
  const stop = new AbortController();
  const stopAfter = (ms: number) =>
    setTimeout(() => stop.abort(new Error(`nothing came for ${ms / 1000} seconds`)), ms);
  /** Turns what `work` throws into our errors; waits no longer than `ms`. */
  const within = async <T>(ms: number, work: () => Promise<T>): Promise<T> => {
    const timer = stopAfter(ms);
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new DecodingError("DOWNLOAD_FAILED", {
        message: `${new URL(url).host}: ${reason(stop.signal.aborted ? stop.signal.reason : error)}.`,
        fix: "Check the connection and try again.",
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  };

  const response = await within(answerWithinMs, async () => {
    const answer = await fetch(url, {
      method,
      headers: from > 0 ? { range: `bytes=${from}-` } : { "accept-encoding": "identity" },
      // A browser's own cache would hold a second copy.
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
    });
    // Aborting frees the connection, whose body nobody reads.
    if (!answer.ok) stop.abort(new Error(`it answered ${answer.status}`));
    stop.signal.throwIfAborted();
    return answer;
  });
  const { headers, status, body } = response;
  const isCompressed = !["identity", null].includes(headers.get("content-encoding"));
  const length = isCompressed ? Number.NaN : Number.parseInt(headers.get("content-length") ?? "", 10);
  const start = status === 206 ? rangeStart(headers.get("content-range"), from) : 0;
  return {
    status,
    from: start,
    total: Number.isNaN(length) ? undefined : start + length,
    validator: headers.get("etag") ?? headers.get("last-modified") ?? undefined,
    async *bytes() {
      // Not `for await`, which Safari's streams do not know.
      const reader = body?.getReader();
      try {
        while (reader !== undefined) {
          const { done, value } = await within(STALLED_AFTER_MS, () => reader.read());
          if (done) return;
          yield value;
        }
      } finally {
        stop.abort();
      }
    },
    cancel: () => stop.abort(),
  };
}

/** A server of another origin may not show the header; then it is taken at its word. */
function rangeStart(contentRange: string | null, asked: number): number {
  const start = /^bytes (\d+)-/.exec(contentRange ?? "")?.[1];
  return start === undefined ? asked : Number(start);
}

/** `fetch` hides what happened in the cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
