import { DecodingError, type TokenId } from "@foretoken/core";
import { pairKey, type SuccessorArrays, type SuccessorShape, SuccessorTable } from "./successor-table.ts";
import { invalidTable } from "./table-container.ts";

/** Options of {@link SuccessorCounts}. */
export interface SuccessorCountsOptions extends SuccessorShape {
  /** Successors kept of each context, the likeliest. Default 12. */
  readonly successors?: number;
  /** Bytes the table may have; contexts that were seen most stay. Default 64 MiB. While counting, a multiple is used. */
  readonly maxBytes?: number;
}

/** What is known of one context. */
interface Context {
  seen: number;
  readonly counts: Map<TokenId, number>;
}

/** A key, where the row begins, how often it was seen. */
const ROW_BYTES = 8 + 4 + 4;
/** An id and a weight. */
const ENTRY_BYTES = 4 + 4;
/** Contexts are given up when what is counted would fill so many tables. */
const WORKING_TABLES = 4;

/**
 * Counts which tokens follow which contexts, in texts and in other tables, and makes a {@link SuccessorTable} of them.
 *
 * Weights are shares of all successors that were counted, also of those that are not kept: they are not renormalised.
 */
export class SuccessorCounts {
  readonly #shape: SuccessorShape;
  readonly #successors: number;
  readonly #maxBytes: number;
  #contexts = new Map<number, Context>();
  #entries = 0;

  /** @throws `INVALID_OPTION` for limits that are no whole numbers of at least 1. */
  constructor({ successors = 12, maxBytes = 64 * 2 ** 20, ...shape }: SuccessorCountsOptions) {
    this.#shape = shape;
    this.#successors = checked("successors", successors);
    this.#maxBytes = checked("maxBytes", maxBytes);
  }

  /** Counts every token that has a whole context before it in this text. */
  addText(tokens: readonly TokenId[]): void {
    const { order, vocabularySize } = this.#shape;
    for (let at = order; at < tokens.length; at++) {
      const last = tokens[at - 1]!;
      const key = order === 1 ? last : pairKey(vocabularySize, tokens[at - 2]!, last);
      this.add(key, tokens[at]!, 1, 1);
    }
  }

  /**
   * Adds one successor of a context.
   *
   * @param key - As `SuccessorTable.row` takes it.
   * @param count - How much of it was seen, above 0.
   * @param seen - How much of the context was seen with it.
   */
  add(key: number, token: TokenId, count: number, seen: number): void {
    let context = this.#contexts.get(key);
    if (context === undefined) {
      context = { seen: 0, counts: new Map() };
      this.#contexts.set(key, context);
    }
    context.seen += seen;
    const old = context.counts.get(token);
    if (old === undefined) this.#entries++;
    context.counts.set(token, (old ?? 0) + count);
    if (this.#bytes() > WORKING_TABLES * this.#maxBytes) this.#prune();
  }

  /**
   * Adds a table, each context as often as it was seen there: merged tables are the table of all their texts, but for what
   * they left out.
   * @throws `TABLE_INVALID` for a table of another order, owner or vocabulary.
   */
  addTable(table: SuccessorTable): void {
    const { order, vocabularySize, owner } = this.#shape;
    const same =
      table.order === order &&
      table.vocabularySize === vocabularySize &&
      table.owner.kind === owner.kind &&
      table.owner.hash === owner.hash;
    if (!same) {
      throw invalidTable(
        `A table of order ${table.order} for ${table.owner.kind} ${table.owner.hash} cannot be merged with one of order ${order} for ${owner.kind} ${owner.hash}.`,
      );
    }
    const { keys, starts, seen, ids, weights } = table.arrays;
    for (const [row, key] of keys.entries()) {
      for (let entry = starts[row]!; entry < starts[row + 1]!; entry++) {
        const isFirst = entry === starts[row];
        this.add(key, ids[entry]!, weights[entry]! * seen[row]!, isFirst ? seen[row]! : 0);
      }
    }
  }

  /** What was counted so far. */
  table(): SuccessorTable {
    const kept = this.#mostSeen(this.#maxBytes).sort(([a], [b]) => a - b);
    const rows = kept.map(([, { counts }]) => best(counts, this.#successors));
    const entries = rows.reduce((sum, row) => sum + row.length, 0);
    const arrays: SuccessorArrays = {
      keys: Float64Array.from(kept, ([key]) => key),
      starts: new Uint32Array(kept.length + 1),
      seen: Float32Array.from(kept, ([, { seen }]) => seen),
      ids: new Int32Array(entries),
      weights: new Float32Array(entries),
    };
    let entry = 0;
    for (const [index, row] of rows.entries()) {
      for (const [token, count] of row) {
        arrays.ids[entry] = token;
        arrays.weights[entry] = count / kept[index]![1].seen;
        entry++;
      }
      arrays.starts[index + 1] = entry;
    }
    return new SuccessorTable(this.#shape, arrays);
  }

  #bytes(): number {
    return this.#contexts.size * ROW_BYTES + this.#entries * ENTRY_BYTES;
  }

  /** Gives up the contexts seen least; those that come again are counted anew. */
  #prune(): void {
    this.#contexts = new Map(this.#mostSeen((WORKING_TABLES / 2) * this.#maxBytes, Number.POSITIVE_INFINITY));
    this.#entries = 0;
    for (const { counts } of this.#contexts.values()) this.#entries += counts.size;
  }

  /** The contexts seen most that fit, the newer first among equals. */
  #mostSeen(maxBytes: number, successors = this.#successors): [number, Context][] {
    const contexts = [...this.#contexts].reverse().sort(([, a], [, b]) => b.seen - a.seen);
    let bytes = 0;
    const end = contexts.findIndex(([, { counts }]) => {
      bytes += ROW_BYTES + Math.min(successors, counts.size) * ENTRY_BYTES;
      return bytes > maxBytes;
    });
    return end === -1 ? contexts : contexts.slice(0, end);
  }
}

/** The largest counts, the lower id first among equals. */
const best = (counts: ReadonlyMap<TokenId, number>, successors: number): [TokenId, number][] =>
  [...counts].sort(([idA, a], [idB, b]) => b - a || idA - idB).slice(0, successors);

function checked(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new DecodingError("INVALID_OPTION", {
    message: `${name} of a table of successors is ${value}, but must be a whole number of at least 1.`,
    fix: `Pass a ${name} of 1 or more.`,
  });
}
