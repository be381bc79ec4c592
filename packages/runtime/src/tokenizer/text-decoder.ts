import type { StreamDecoder, TokenId } from "@foretoken/core";

/**
 * Turns tokens into text as they come.
 *
 * UTF-8 characters are at most four bytes, so at most three are ever held back, in constant time a token. The
 * joined pieces equal {@link decodeBytes} of all bytes together: both follow the same standard for bytes that
 * are no UTF-8 (https://encoding.spec.whatwg.org/#utf-8-decoder).
 */
export function streamDecoder(tokenBytes: (token: TokenId) => Uint8Array): StreamDecoder {
  // A byte order mark is text like any other: dropping it would make the pieces differ from the whole.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return {
    push: (tokens) => tokens.map((token) => decoder.decode(tokenBytes(token), { stream: true })).join(""),
    flush: () => decoder.decode(),
  };
}
