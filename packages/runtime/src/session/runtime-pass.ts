import {
  argmax,
  DecodingError,
  type DeviceTensor,
  type HiddenSite,
  hasCode,
  largest,
  logSumExp,
  type Pass,
  type PendingRow,
  type TokenId,
  type TopK,
} from "@foretoken/core";
import type { RuntimePendingRow } from "./pending-row.ts";
import { invalidRow, rowFreed } from "./session-errors.ts";

/** What a pass returned for the rows of one call. */
export interface PassData {
  readonly rows: readonly RuntimePendingRow[];
  /** Logits `[V]` by row index. */
  readonly logits: ReadonlyMap<number, Float32Array>;
  /** Hidden states `[T, D]` by site. */
  readonly hidden: ReadonlyMap<HiddenSite, Float32Array>;
  readonly width: number;
  readonly elapsedMs: number;
}

/** The outcome of one call of `forward`; everything is in the memory of JavaScript already. */
export class RuntimePass implements Pass {
  readonly #data: PassData;
  readonly #argmax = new Map<number, TokenId>();
  readonly #logSumExp = new Map<number, number>();

  constructor(data: PassData) {
    this.#data = data;
  }

  get rows(): readonly PendingRow[] {
    return this.#data.rows;
  }

  get elapsedMs(): number {
    return this.#data.elapsedMs;
  }

  async logits(row: number): Promise<Float32Array> {
    return this.#sound(row);
  }

  async argmax(row: number): Promise<TokenId> {
    this.#sound(row);
    return this.#argmax.get(row)!;
  }

  async topK(row: number, k: number): Promise<TopK> {
    if (!Number.isInteger(k) || k < 1) {
      throw new DecodingError("INVALID_OPTION", {
        message: `topK was asked for the ${k} best tokens.`,
        fix: "Ask for a whole number of at least 1.",
      });
    }
    const logits = this.#sound(row);
    const ids = largest(logits, k);
    const total = () => this.#logSumExpOf(row, logits);
    return {
      ids,
      // Made when asked for: tables of candidates want the ids alone, and the sum goes over the whole row.
      get logProbabilities() {
        const sum = total();
        return Float64Array.from(ids, (token) => logits[token] - sum);
      },
    };
  }

  async logSumExp(row: number): Promise<number> {
    return this.#logSumExpOf(row, this.#sound(row));
  }

  #logSumExpOf(row: number, logits: Float32Array): number {
    let sum = this.#logSumExp.get(row);
    if (sum === undefined) {
      sum = logSumExp(logits);
      this.#logSumExp.set(row, sum);
    }
    return sum;
  }

  hidden(site: HiddenSite): DeviceTensor {
    const { rows, hidden, width } = this.#data;
    const values = hidden.get(site);
    if (values === undefined) {
      throw new DecodingError("UNSUPPORTED", {
        message: `Hidden states at site ${site} were read from a pass that did not ask for them.`,
        fix: `Name the site in the wants of forward(): { hidden: [${JSON.stringify(site)}] }.`,
      });
    }
    let isDisposed = false;
    return {
      shape: [rows.length, width],
      dtype: "float32",
      read: async () => {
        const gone = rows.find(({ state }) => isDisposed || state !== "pending");
        if (gone) throw rowFreed(gone.position, `The hidden state at site ${site}`);
        return values;
      },
      dispose: () => {
        isDisposed = true;
      },
    };
  }

  /** The logits of a row that is still pending and holds no NaN. */
  #sound(index: number): Float32Array {
    const row = this.#data.rows[index];
    if (row === undefined) {
      throw invalidRow(
        `row ${index} was read from a pass of ${this.#data.rows.length}`,
        "Row indices are those of the forward() call, from 0.",
      );
    }
    if (row.state !== "pending") throw rowFreed(row.position, "The logits");
    const logits = this.#data.logits.get(index);
    if (logits === undefined) {
      throw invalidRow(
        `the logits of row ${index} were read, but not asked for`,
        "Name the row in wants.logits.",
      );
    }
    if (!this.#argmax.has(index)) {
      let best: TokenId;
      try {
        best = argmax(logits);
      } catch (cause) {
        if (!hasCode(cause, "INVALID_LOGITS")) throw cause;
        throw new DecodingError("INVALID_LOGITS", {
          message: `The logits of row ${index} at position ${row.position} hold NaN.`,
          fix: "Check the model file and injected embeddings; try dtype fp32.",
          cause,
        });
      }
      this.#argmax.set(index, best);
    }
    return logits;
  }
}
