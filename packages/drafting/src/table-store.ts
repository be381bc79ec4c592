import { DecodingError, type Model } from "@foretoken/core";
import { TokenTable } from "./token-table.ts";

/**
 * Tables that several sequences share on purpose, one for each model. Whoever shares a table can tell from its drafts
 * which tokens followed which in the others' texts: share between texts of one user.
 */
export class TableStore {
  readonly #tables = new Map<string, TokenTable>();
  readonly #maxBytes: number | undefined;

  /** @param options - `maxBytes` of each table made here; see {@link TokenTable}. */
  constructor({ maxBytes }: { readonly maxBytes?: number } = {}) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The table of a model, made when there is none.
   * @throws `TABLE_INVALID` when there is one with fewer candidates for each token.
   */
  tableFor(model: Model, candidatesPerToken: number): TokenTable {
    const { contentHash, vocabularySize } = model;
    let table = this.#tables.get(contentHash);
    if (table === undefined) {
      table = new TokenTable({ vocabularySize, candidatesPerToken, maxBytes: this.#maxBytes });
      this.#tables.set(contentHash, table);
    }
    if (table.candidatesPerToken < candidatesPerToken) {
      throw new DecodingError("TABLE_INVALID", {
        message: `The stored table of ${model.id} has ${table.candidatesPerToken} candidates for each token, but ${candidatesPerToken} are asked for.`,
        fix: "Use a store of its own for each number of candidates.",
      });
    }
    return table;
  }

  /** The table of the model with that content hash, for saving; `undefined` when there is none. */
  get(contentHash: string): TokenTable | undefined {
    return this.#tables.get(contentHash);
  }

  /** Puts a table, such as a loaded one, in the place of the model's. */
  set(contentHash: string, table: TokenTable): void {
    this.#tables.set(contentHash, table);
  }
}
