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
import type { OutputRows } from "../device/backend.ts";
import { inTurn } from "../device/run-queue.ts";
import type { LogitsRow } from "./pass-queue.ts";
import type { RuntimePendingRow } from "./pending-row.ts";
import { invalidRow, rowFreed } from "./session-errors.ts";

/** What a pass returned for the rows of one call. */
export interface PassData {
  readonly rows: readonly RuntimePendingRow[];
  /** By row index. */
  readonly logits: ReadonlyMap<number, LogitsRow>;
  /** By site, with the place of this call's first row. */
  readonly hidden: ReadonlyMap<HiddenSite, { readonly output: OutputRows; readonly first: number }>;
  readonly elapsedMs: number;
}

/** The outcome of one call of `forward`. What lies on the device is read when it is asked for, once. */
export class RuntimePass implements Pass {
  readonly #data: PassData;
  readonly #rows = new Map<number, Float32Array>();
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
    return this.#values(row);
  }

  async argmax(row: number): Promise<TokenId> {
    const { reduced } = this.#wanted(row);
    if (reduced) return reduced.argmax;
    await this.#values(row);
    return this.#argmax.get(row)!;
  }

  async topK(row: number, k: number): Promise<TopK> {
    if (!Number.isInteger(k) || k < 1) {
      throw new DecodingError("INVALID_OPTION", {
        message: `topK was asked for the ${k} best tokens.`,
        fix: "Ask for a whole number of at least 1.",
      });
    }
    const { reduced } = this.#wanted(row);
    if (reduced && reduced.topIds.length >= k) {
      const logProbabilities = Float64Array.from(
        reduced.topLogits.subarray(0, k),
        (logit) => logit - reduced.logSumExp,
      );
      return { ids: reduced.topIds.slice(0, k), logProbabilities };
    }
    const logits = await this.#values(row);
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
    const { reduced } = this.#wanted(row);
    return reduced?.logSumExp ?? this.#logSumExpOf(row, await this.#values(row));
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
    const { rows, hidden } = this.#data;
    const states = hidden.get(site);
    if (states === undefined) {
      throw new DecodingError("UNSUPPORTED", {
        message: `Hidden states at site ${site} were read from a pass that did not ask for them.`,
        fix: `Name the site in the wants of forward(): { hidden: [${JSON.stringify(site)}] }.`,
      });
    }
    const { output, first } = states;
    let isDisposed = false;
    const mustHold = () => {
      const gone = rows.find(({ state }) => isDisposed || state !== "pending");
      if (gone) throw rowFreed(gone.position, `The hidden state at site ${site}`);
    };
    return {
      shape: [rows.length, output.width],
      dtype: "float32",
      read: async () => {
        mustHold();
        return readInTurn(() => {
          mustHold();
          return output.read(first, rows.length);
        }, output.isHost);
      },
      dispose: () => {
        isDisposed = true;
      },
    };
  }

  /** What there is of a row's logits, if it is still pending and holds no NaN that anyone has seen. */
  #wanted(index: number): LogitsRow {
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
    if (logits.reduced && Number.isNaN(logits.reduced.logSumExp)) throw invalidLogits(index, row.position);
    return logits;
  }

  /** The logits of a row that is still pending and holds no NaN. */
  async #values(index: number): Promise<Float32Array> {
    const logits = this.#wanted(index);
    let values = this.#rows.get(index);
    if (values === undefined) {
      values = await readInTurn(() => {
        this.#wanted(index);
        return logits.read();
      }, logits.isHost);
      this.#rows.set(index, values);
    }
    if (logits.reduced) return values;
    if (!this.#argmax.has(index)) {
      try {
        this.#argmax.set(index, argmax(values));
      } catch (cause) {
        if (!hasCode(cause, "INVALID_LOGITS")) throw cause;
        throw invalidLogits(index, this.#data.rows[index].position, cause);
      }
    }
    return values;
  }
}

/** Reads what may lie on the device; only then does it need a turn. */
async function readInTurn(
  read: () => Float32Array | Promise<Float32Array>,
  isHost: boolean,
): Promise<Float32Array> {
  return isHost ? read() : inTurn(async () => read());
}

function invalidLogits(row: number, position: number, cause?: unknown): DecodingError {
  return new DecodingError("INVALID_LOGITS", {
    message: `The logits of row ${row} at position ${position} hold NaN.`,
    fix: "Check the model file and injected embeddings; try dtype fp32.",
    cause,
  });
}
