import { DecodingError } from "@foretoken/core";
import { openHttp } from "./http-answer.ts";

/** A hub that does not answer by then is out of reach; other sources wait for that. */
const ANSWER_WITHIN_MS = 4_500;

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
  const answer = await openHttp(url, { signal, answerWithinMs });
  if (answer.total !== undefined && answer.total !== size) {
    answer.cancel();
    throw new DecodingError("DOWNLOAD_FAILED", {
      message: `${new URL(url).host}: it offers ${answer.total} bytes, the file has ${size}.`,
      fix: "Check the connection and try again.",
    });
  }
  yield* answer.bytes();
}
