import type { StreamDecoder, Tokenizer } from "./tokenizer.ts";
import type { TokenId } from "./tokens.ts";

/** The answer's text as it becomes certain: whole characters, and nothing of a stop string. */
export class TextStream {
  readonly #tokenizer: Tokenizer | undefined;
  readonly #decoder: StreamDecoder | undefined;
  readonly #stops: readonly string[];
  #text = "";
  #released = 0;

  constructor(tokenizer: Tokenizer | undefined, stops: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#decoder = tokenizer?.streamDecoder();
    this.#stops = stops;
  }

  /** All text released so far. */
  get text(): string {
    return this.#text.slice(0, this.#released);
  }

  /** @returns The text that became certain with these tokens. */
  push(tokens: readonly TokenId[]): string {
    this.#text += this.#decoder?.push(tokens.filter((token) => !this.#isControl(token))) ?? "";
    return this.#release(this.#text.length - this.#possibleStop());
  }

  /** @returns What was still held back; for an answer that a stop string ended, cut where that string begins. */
  end(atStop: boolean): string {
    this.#text += this.#decoder?.flush() ?? "";
    return this.#release(atStop ? this.#firstStop() : this.#text.length);
  }

  #isControl(token: TokenId): boolean {
    return this.#tokenizer?.specialTokens.has(token) === true;
  }

  #release(length: number): string {
    const text = this.#text.slice(this.#released, length);
    this.#released = Math.max(this.#released, length);
    return text;
  }

  /** Length of the longest end of the text that may belong to a stop string. */
  #possibleStop(): number {
    const whole = this.#firstStop();
    if (whole < this.#text.length) return this.#text.length - whole;
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let length = Math.min(longest, this.#text.length - this.#released); length > 0; length--) {
      const end = this.#text.slice(this.#text.length - length);
      if (this.#stops.some((stop) => stop.startsWith(end))) return length;
    }
    return 0;
  }

  /** Where the stop string begins whose end comes first, or the length of the text. */
  #firstStop(): number {
    let end = Number.POSITIVE_INFINITY;
    let start = this.#text.length;
    for (const stop of this.#stops) {
      const at = this.#text.indexOf(stop, this.#released);
      if (at === -1) continue;
      if (at + stop.length < end || (at + stop.length === end && at < start)) {
        end = at + stop.length;
        start = at;
      }
    }
    return start;
  }
}
