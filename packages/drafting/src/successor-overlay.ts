import type { TokenId } from "@foretoken/core";
import type { SuccessorRow } from "./successor-table.ts";

/** Options of {@link SuccessorOverlay}. */
export interface SuccessorOverlayOptions {
  /** What a row is before anything was added to it; read-only, and shared with others. */
  base(key: number): SuccessorRow | undefined;
  /** Successors of a row at most; the lightest one makes room for a new one. Default 12. */
  readonly successors?: number;
  /** What all that is unknown weighs in a row that begins empty. Default 0. */
  readonly unknown?: number;
  /** Rows of its own at most; the one written longest ago is forgotten. Default 65,536: about 10 MB. */
  readonly maxRows?: number;
}

/**
 * What one text adds to tables that it shares with others: a row is copied when it is first written to, so nothing that is
 * added can be seen elsewhere.
 */
export class SuccessorOverlay {
  readonly #options: SuccessorOverlayOptions;
  readonly #successors: number;
  readonly #maxRows: number;
  /** Rows are never changed, only replaced, so that copies may share them. The one written longest ago comes first. */
  readonly #rows: Map<number, SuccessorRow>;

  constructor(options: SuccessorOverlayOptions, rows: ReadonlyMap<number, SuccessorRow> = new Map()) {
    this.#options = options;
    this.#successors = options.successors ?? 12;
    this.#maxRows = options.maxRows ?? 2 ** 16;
    this.#rows = new Map(rows);
  }

  /** Rows of its own. */
  get size(): number {
    return this.#rows.size;
  }

  /** The successors of a context, with what was added; `undefined` where there are none. */
  row(key: number): SuccessorRow | undefined {
    return this.#rows.get(key) ?? this.#options.base(key);
  }

  /**
   * Makes a successor heavier, and creates it, or the whole row, where there is none.
   * @param most - The most it may weigh; what is heavier already stays as it is.
   */
  add(key: number, token: TokenId, weight: number, most = Number.POSITIVE_INFINITY): void {
    const row = this.row(key);
    const rank = row?.ids.indexOf(token) ?? -1;
    const old = rank === -1 ? 0 : row!.weights[rank]!;
    const heavier = Math.max(old, Math.fround(Math.min(most, old + weight)));
    const others = entriesOf(row)
      .filter(({ id }) => id !== token)
      .slice(0, this.#successors - 1);
    const behind = others.findIndex(
      (other) => other.weight < heavier || (other.weight === heavier && other.id > token),
    );
    others.splice(behind === -1 ? others.length : behind, 0, { id: token, weight: heavier });
    this.#rows.delete(key);
    this.#rows.set(key, {
      ids: Int32Array.from(others, ({ id }) => id),
      weights: Float32Array.from(others, (entry) => entry.weight),
      total: (row?.total ?? this.#options.unknown ?? 0) + heavier - old,
    });
    if (this.#rows.size > this.#maxRows) this.#rows.delete(this.#rows.keys().next().value!);
  }

  /** An independent copy. */
  fork(): SuccessorOverlay {
    return new SuccessorOverlay(this.#options, this.#rows);
  }
}

const entriesOf = (row: SuccessorRow | undefined): { id: TokenId; weight: number }[] =>
  row === undefined ? [] : Array.from(row.ids, (id, rank) => ({ id, weight: row.weights[rank]! }));
