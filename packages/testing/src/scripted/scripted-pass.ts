import {
  DecodingError,
  type DeviceTensor,
  type HiddenSite,
  type Pass,
  type PendingRow,
  type TokenId,
  type TopK,
  type Wants,
} from "@foretoken/core";
import type { ContextNode } from "./context-node.ts";
import { encodeHidden } from "./hidden-code.ts";
import { largest } from "./script.ts";
import type { ScriptedMachine } from "./scripted-machine.ts";
import type { ScriptedPendingRow } from "./scripted-row.ts";

/** The outcome of one call to a scripted session's `forward`. */
export class ScriptedPass implements Pass {
  readonly elapsedMs: number;
  readonly #rows: readonly ScriptedPendingRow[];
  readonly #nodes: readonly ContextNode[];
  readonly #wants: Wants;
  readonly #machine: ScriptedMachine;

  constructor(
    machine: ScriptedMachine,
    rows: readonly ScriptedPendingRow[],
    nodes: readonly ContextNode[],
    wants: Wants,
    elapsedMs: number,
  ) {
    this.#machine = machine;
    this.#rows = rows;
    this.#nodes = nodes;
    this.#wants = wants;
    this.elapsedMs = elapsedMs;
  }

  get rows(): readonly PendingRow[] {
    return this.#rows;
  }

  async logits(row: number): Promise<Float32Array> {
    return this.#read(row);
  }

  async argmax(row: number): Promise<TokenId> {
    return largest(this.#read(row));
  }

  async topK(row: number, k: number): Promise<TopK> {
    const logits = this.#read(row);
    if (!Number.isInteger(k) || k < 1) {
      throw new DecodingError("INVALID_OPTION", {
        message: `topK was asked for the ${k} best tokens.`,
        fix: "Ask for at least 1.",
      });
    }
    const total = logSumExp(logits);
    const best = Array.from(logits, (_, token) => token)
      .sort((a, b) => logits[b]! - logits[a]! || a - b)
      .slice(0, k);
    return {
      ids: Int32Array.from(best),
      logProbabilities: Float64Array.from(best, (token) => logits[token]! - total),
    };
  }

  async logSumExp(row: number): Promise<number> {
    return logSumExp(this.#read(row));
  }

  hidden(site: HiddenSite): DeviceTensor {
    if (!(this.#wants.hidden ?? []).includes(site)) {
      throw new DecodingError("UNSUPPORTED", {
        message: `Hidden states at site ${site} were read from a pass that did not ask for them.`,
        fix: `Name the site in the wants of forward(): { hidden: [${JSON.stringify(site)}] }.`,
      });
    }
    const { width, layers } = this.#machine;
    let isDisposed = false;
    return {
      shape: [this.#rows.length, width],
      dtype: "float32",
      read: async () => {
        this.#machine.counters.faults.onAwait?.("read");
        this.#rows.forEach((row, index) => {
          if (isDisposed || row.state !== "pending") throw freed(index, `hidden states at site ${site}`);
        });
        const values = new Float32Array(this.#rows.length * width);
        this.#nodes.forEach((node, row) => {
          encodeHidden(values.subarray(row * width, (row + 1) * width), node, site, layers);
        });
        return values;
      },
      dispose: () => {
        isDisposed = true;
      },
    };
  }

  #read(index: number): Float32Array {
    const row = this.#rows[index];
    if (row === undefined) {
      throw new DecodingError("INVALID_ROW", {
        message: `Row ${index} was read from a pass of ${this.#rows.length} rows.`,
        fix: "Row indices are those of the forward() call, from 0.",
      });
    }
    const { counters } = this.#machine;
    counters.faults.onAwait?.("read");
    if (row.state !== "pending") throw freed(index, "logits");
    if (!this.#asked(index)) {
      throw new DecodingError("INVALID_ROW", {
        message: `The logits of row ${index} were read, but not asked for.`,
        fix: "Name the row in the wants of forward(): rows that are not named skip the head.",
      });
    }
    const node = this.#nodes[index]!;
    const logits = this.#machine.logits(node);
    if (Number.isNaN(node.checksum) || counters.faults.nanAt?.(row.position)) {
      throw new DecodingError("INVALID_LOGITS", {
        message: `The logits of row ${index} at position ${row.position} hold NaN.`,
        fix: "Check the model's weights and the device.",
      });
    }
    return logits;
  }

  #asked(row: number): boolean {
    const { logits } = this.#wants;
    if (logits === undefined) return false;
    if (logits === "all") return true;
    return logits === "last" ? row === this.#rows.length - 1 : logits.includes(row);
  }
}

function freed(row: number, what: string): DecodingError {
  return new DecodingError("ROW_FREED", {
    message: `The ${what} of row ${row} were read after the row was committed or discarded.`,
    fix: "Read what you need before you commit.",
  });
}

function logSumExp(logits: Float32Array): number {
  const most = logits[largest(logits)]!;
  return most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}
