import type { TokenId } from "@foretoken/core";

/**
 * What followed the other places that end like the text: nothing but this one place, the same token everywhere, the same
 * token mostly, or mostly other tokens.
 */
export type Support = "alone" | "unanimous" | "majority" | "minority";

/** An earlier place of the text that ends like the text itself. */
export interface Match {
  /** The token that followed there. */
  readonly next: TokenId;
  /** How many tokens before it are equal to the end of the text. */
  readonly length: number;
  readonly support: Support;
}

/** Hash chains; a power of two. Collisions cost time, never a wrong match: lengths are counted token by token. */
const CHAINS = 2 ** 14;
/** Most earlier places looked at, so that a text of one repeated phrase costs no more than any other. */
const MOST_VISITS = 64;
const NONE = -1;

/**
 * A growing text in which the longest earlier occurrence of its last tokens is found in bounded time, however long it
 * is. Places whose last `shortest` tokens hash alike form a chain, newest first, as in LZ77 compressors.
 *
 * ```
 *   text    the cat sat . the cat        shortest = 2
 *   chain   "the cat" → 1 → none         so the match is { next: "sat", length: 2, support: "alone" }
 * ```
 *
 * @see Deutsch 1996, RFC 1951, section 4, https://www.rfc-editor.org/rfc/rfc1951
 */
export class MatchIndex {
  readonly #shortest: number;
  readonly #longest: number;
  /** The newest place of each chain. */
  #heads = new Int32Array(CHAINS).fill(NONE);
  /** The text, and for each place the one before it in its chain; both with room to grow. */
  #tokens = new Int32Array(256);
  #previous = new Int32Array(256);
  #length = 0;

  /**
   * @param shortest - Tokens a match must have, at least 1.
   * @param longest - Tokens counted at most; longer matches count as this long.
   */
  constructor(shortest: number, longest: number) {
    this.#shortest = shortest;
    this.#longest = longest;
  }

  /** Tokens of the text. */
  get length(): number {
    return this.#length;
  }

  append(token: TokenId): void {
    if (this.#length === this.#tokens.length) this.#grow();
    const place = this.#length++;
    this.#tokens[place] = token;
    if (place + 1 < this.#shortest) return;
    const chain = this.#chainAt(place);
    this.#previous[place] = this.#heads[chain]!;
    this.#heads[chain] = place;
  }

  /** Forgets all but the first `length` tokens. */
  truncate(length: number): void {
    while (this.#length > length) {
      const place = --this.#length;
      if (place + 1 >= this.#shortest) this.#heads[this.#chainAt(place)] = this.#previous[place]!;
    }
  }

  /** The longest match of the end of the text, the newest among equals; `undefined` when there is none. */
  longestMatch(): Match | undefined {
    const end = this.#length - 1;
    const places = this.#placesLike(end);
    let best = NONE;
    let length = 0;
    for (const place of places) {
      const common = this.#commonLength(place, end);
      if (common > length) [best, length] = [place, common];
    }
    if (best === NONE) return undefined;
    const next = this.#tokens[best + 1]!;
    const agreeing = places.filter((place) => this.#tokens[place + 1] === next).length;
    return { next, length, support: supportOf(agreeing, places.length) };
  }

  fork(): MatchIndex {
    const copy = new MatchIndex(this.#shortest, this.#longest);
    copy.#heads = this.#heads.slice();
    copy.#tokens = this.#tokens.slice();
    copy.#previous = this.#previous.slice();
    copy.#length = this.#length;
    return copy;
  }

  /** Earlier places whose last `shortest` tokens are those of `end`, newest first. */
  #placesLike(end: number): number[] {
    const places: number[] = [];
    if (end + 1 < this.#shortest) return places;
    let place = this.#previous[end]!;
    for (let visits = 0; place !== NONE && visits < MOST_VISITS; visits++) {
      if (this.#commonLength(place, end, this.#shortest) === this.#shortest) places.push(place);
      place = this.#previous[place]!;
    }
    return places;
  }

  /** How many tokens up to `place` equal those up to `end`. The two may overlap. */
  #commonLength(place: number, end: number, limit = this.#longest): number {
    const most = Math.min(limit, place + 1);
    let length = 0;
    while (length < most && this.#tokens[place - length] === this.#tokens[end - length]) length++;
    return length;
  }

  /** The chain of the `shortest` tokens that end at `place`. */
  #chainAt(place: number): number {
    let hash = 0;
    for (let back = 0; back < this.#shortest; back++) {
      hash = Math.imul(hash ^ this.#tokens[place - back]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash & (CHAINS - 1);
  }

  #grow(): void {
    const grown = (values: Int32Array) => {
      const larger = new Int32Array(2 * values.length);
      larger.set(values);
      return larger;
    };
    this.#tokens = grown(this.#tokens);
    this.#previous = grown(this.#previous);
  }
}

function supportOf(agreeing: number, places: number): Support {
  if (places === 1) return "alone";
  if (agreeing === places) return "unanimous";
  return 2 * agreeing > places ? "majority" : "minority";
}
