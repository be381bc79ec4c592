import { DecodingError } from "@foretoken/core";
import type { ByteSource } from "./byte-source.ts";

/** First piece of a header that is read; pieces double from there, so that files of 100 bytes stay cheap. */
const FIRST_PIECE = 1 << 20;

/** The largest vocabularies make headers of 20 MB; what is far beyond that only costs memory. */
const LONGEST_HEADER = 1 << 27;

/** Thrown inside {@link GgufCursor.take} when the bytes read so far do not hold the whole item. */
class NeedsMoreBytes extends Error {}

/** The error of every header that contradicts itself or the size of its file. */
export function corruptModel(name: string, what: string): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `"${name}" is damaged: ${what}.`,
    fix: "Fetch the file again and compare its checksum with the publisher's.",
  });
}

/**
 * Reads a header from the front, a piece of the file at a time.
 *
 * The readers are synchronous, so that a hundred thousand strings cost no promises: {@link take} runs one of them, and
 * when the bytes run out in the middle it fetches another piece and runs it again from where the item began.
 * Every length is checked against the file's size before anything is allocated for it.
 */
export class GgufCursor {
  /** Offset of the next byte in the file. */
  get position(): number {
    return this.#windowStart + this.#at;
  }

  readonly #source: ByteSource;
  readonly #text = new TextDecoder("utf-8", { ignoreBOM: true });
  #window = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #windowStart = 0;
  #at = 0;
  #piece = FIRST_PIECE;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Bytes of the file that lie behind the cursor. */
  get remaining(): number {
    return this.#source.size - this.position;
  }

  /** Runs `read` over whole bytes, fetching more of the file where it needs them. */
  async take<T>(read: (cursor: GgufCursor) => T): Promise<T> {
    for (let start = this.#at; ; start = 0) {
      try {
        return read(this);
      } catch (error) {
        if (!(error instanceof NeedsMoreBytes)) throw error;
      }
      await this.#fetch(start);
    }
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A 64-bit count or offset as a number; beyond 2^53 inexact, which no check against a file's size minds. */
  u64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** One scalar read by `get`, a reader of `DataView`, from `size` bytes. */
  scalar<T>(size: number, get: (view: DataView, at: number) => T): T {
    return get(this.#view, this.#advance(size));
  }

  /** `length` bytes, valid until the next call of {@link take}. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#window.subarray(start, start + length);
  }

  /** A string: 64-bit length, then UTF-8. A leading byte order mark is part of it: tokens may begin with one. */
  string(): string {
    const length = this.u64();
    if (length > this.remaining) {
      throw this.corrupt(
        `a string at byte ${this.position - 8} says it is ${length} bytes long, with ${this.remaining} left`,
      );
    }
    const start = this.#advance(length);
    // Most tokens are a few ASCII letters, for which a decoder call costs more than the letters.
    if (length <= 24 && isAscii(this.#window, start, start + length)) {
      return String.fromCharCode(...this.#window.subarray(start, start + length));
    }
    return this.#text.decode(this.#window.subarray(start, start + length));
  }

  /** A 64-bit count of items that take at least `itemBytes` each, checked against what is left of the file. */
  count(what: string, itemBytes: number): number {
    const count = this.u64();
    if (count * itemBytes > this.remaining) {
      throw this.corrupt(
        `it says it has ${count} ${what}, which do not fit into the ${this.remaining} bytes left`,
      );
    }
    return count;
  }

  corrupt(what: string): DecodingError {
    return corruptModel(this.#source.name, what);
  }

  #advance(length: number): number {
    const start = this.#at;
    if (start + length > this.#window.length) {
      if (length > this.remaining) {
        throw this.corrupt(`it ends at byte ${this.#source.size}, in the middle of its header`);
      }
      if (this.position + length > LONGEST_HEADER) {
        throw this.corrupt(`its header goes on beyond ${LONGEST_HEADER} bytes`);
      }
      throw new NeedsMoreBytes();
    }
    this.#at = start + length;
    return start;
  }

  /** Drops the window before `start`, appends the next piece, and goes back to `start`. */
  async #fetch(start: number): Promise<void> {
    const rest = this.#window.subarray(start);
    const from = this.#windowStart + this.#window.length;
    const piece = await this.#source.read(from, Math.min(this.#piece, this.#source.size - from));
    this.#piece *= 2;
    this.#window = new Uint8Array(rest.length + piece.length);
    this.#window.set(rest);
    this.#window.set(piece, rest.length);
    this.#view = new DataView(this.#window.buffer);
    this.#windowStart += start;
    this.#at = 0;
  }
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] >= 128) return false;
  return true;
}
