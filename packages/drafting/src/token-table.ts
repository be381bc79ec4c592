import { DecodingError, type TokenId } from "@foretoken/core";

/** Options of {@link TokenTable}. */
export interface TokenTableOptions {
  /** `V`: one row for each id below it. */
  readonly vocabularySize: number;
  /** `k`: candidates of a row at most. */
  readonly candidatesPerToken: number;
  /**
   * Bytes of rows the table may hold, at least one page of 32 rows (`128 · k`); beyond it the pages written longest ago
   * are forgotten. Default no limit: a full table has `4 · k · V`.
   */
  readonly maxBytes?: number;
}

/** Consecutive rows. */
interface Page {
  /** Token ids `[PAGE_ROWS, k]`, row-major, best first; {@link UNKNOWN} behind the last candidate of a row. */
  readonly candidates: Int32Array;
  /** Who may write here; another table copies the page first. */
  readonly owner: symbol;
}

const PAGE_ROWS = 32;
const UNKNOWN = -1;

/**
 * For each token the candidates for the token behind it, best first; rows that were never written are unknown.
 *
 * Rows live in pages, which exist once something was written there. Copies share pages until one of them writes, so that
 * a private table of a sequence costs what the sequence itself learns.
 */
export class TokenTable {
  /** `V`. */
  readonly vocabularySize: number;
  /** `k`. */
  readonly candidatesPerToken: number;
  readonly #options: TokenTableOptions;
  readonly #maxBytes: number;
  /** By page number; the one written longest ago comes first. */
  #pages = new Map<number, Page>();
  #owner = Symbol();

  /** @throws `INVALID_OPTION` for a size that is no whole number of at least 1, or a `maxBytes` below one page. */
  constructor(options: TokenTableOptions) {
    const { vocabularySize, candidatesPerToken, maxBytes } = options;
    this.#options = options;
    this.vocabularySize = checkedSize("vocabularySize", vocabularySize, 1);
    this.candidatesPerToken = checkedSize("candidatesPerToken", candidatesPerToken, 1);
    this.#maxBytes =
      maxBytes === undefined ? Number.POSITIVE_INFINITY : checkedSize("maxBytes", maxBytes, this.#pageBytes);
  }

  /** Bytes of the rows held, pages shared with copies included. */
  get bytes(): number {
    return this.#pages.size * this.#pageBytes;
  }

  /** Whether `token` has a row. */
  has(token: TokenId): boolean {
    return this.candidate(token, 0) !== undefined;
  }

  /**
   * One candidate for the token behind `token`.
   * @param rank - 0 for the best.
   * @returns `undefined` where there is none.
   */
  candidate(token: TokenId, rank: number): TokenId | undefined {
    if (rank >= this.candidatesPerToken) return undefined;
    const page = this.#pages.get(pageOf(token));
    const id = page?.candidates[this.#offset(token) + rank] ?? UNKNOWN;
    return id === UNKNOWN ? undefined : id;
  }

  /** All candidates of a row, best first; empty for an unknown one. A copy. */
  row(token: TokenId): TokenId[] {
    const ids: TokenId[] = [];
    for (let rank = 0; rank < this.candidatesPerToken; rank++) {
      const id = this.candidate(token, rank);
      if (id === undefined) break;
      ids.push(id);
    }
    return ids;
  }

  /** Tokens that have a row, ascending. */
  tokens(): TokenId[] {
    const pages = [...this.#pages.keys()].sort((a, b) => a - b);
    return pages.flatMap((page) =>
      Array.from({ length: PAGE_ROWS }, (_, row) => page * PAGE_ROWS + row).filter((token) =>
        this.has(token),
      ),
    );
  }

  /**
   * Replaces the row of `token`.
   * @param candidates - Ids below `V`, best first; those beyond `k` are left out.
   */
  set(token: TokenId, candidates: ArrayLike<TokenId>): void {
    const number = pageOf(token);
    const page = this.#ownPage(number);
    const offset = this.#offset(token);
    for (let rank = 0; rank < this.candidatesPerToken; rank++) {
      page.candidates[offset + rank] = candidates[rank] ?? UNKNOWN;
    }
    // Behind all others: the first page of the map is always the one written longest ago.
    this.#pages.delete(number);
    this.#pages.set(number, page);
    if (this.bytes > this.#maxBytes) this.#pages.delete(this.#pages.keys().next().value!);
  }

  /** An independent copy; costs one reference for each page. */
  fork(): TokenTable {
    const copy = new TokenTable(this.#options);
    copy.#pages = new Map(this.#pages);
    // From now on neither of the two owns what both refer to.
    this.#owner = Symbol();
    return copy;
  }

  get #pageBytes(): number {
    return 4 * PAGE_ROWS * this.candidatesPerToken;
  }

  #offset(token: TokenId): number {
    return (token % PAGE_ROWS) * this.candidatesPerToken;
  }

  #ownPage(number: number): Page {
    const page = this.#pages.get(number);
    if (page?.owner === this.#owner) return page;
    const size = PAGE_ROWS * this.candidatesPerToken;
    return { candidates: page?.candidates.slice() ?? new Int32Array(size).fill(UNKNOWN), owner: this.#owner };
  }
}

const pageOf = (token: TokenId): number => Math.floor(token / PAGE_ROWS);

function checkedSize(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new DecodingError("INVALID_OPTION", {
    message: `${name} of a token table is ${value}, but must be a whole number of at least ${least}.`,
    fix: `Pass a ${name} of ${least} or more.`,
  });
}
