import type { Model } from "./model.ts";

/** Kinds of passes that are told apart: of 2 rows, 3 and 4, 5 to 8, and more. */
const KINDS = 4;
/** A pass that is so many passes old counts half. */
const DECAY = 0.5 ** (1 / 128);
/** How much the curve counts, in extra price observed, in passes of one row. */
const PRIOR = 0.5;
/** A pass that took longer than so many of one row was disturbed. */
const MOST = 8;

/**
 * What rows behind the first add to the price of a pass, in passes of one row: by the model's cost curve, and corrected by the passes
 * that were timed, where any were. The curve may have been measured on another machine, or not at all.
 */
export class RowPrices {
  #oneMs = 0;
  readonly #timed: Float64Array;
  readonly #assumed: Float64Array;

  constructor(timed = new Float64Array(KINDS), assumed = new Float64Array(KINDS)) {
    this.#timed = timed;
    this.#assumed = assumed;
  }

  /**
   * Prices at one length of the text.
   * @param context - Rows in the cache.
   * @returns The price of so many rows behind the first.
   */
  at({ cost }: Pick<Model, "cost">, context: number): (nodes: number) => number {
    const curve = curveAt(cost, context);
    return (nodes) => {
      if (nodes === 0) return 0;
      const kind = kindOf(nodes);
      return (curve(nodes) * (this.#timed[kind]! + PRIOR)) / (this.#assumed[kind]! + PRIOR);
    };
  }

  /** Takes in a pass that was timed. */
  timed(rows: number, ms: number, { cost }: Pick<Model, "cost">, context: number): void {
    if (!(ms > 0)) return;
    if (rows === 1) {
      this.#oneMs = this.#oneMs === 0 ? ms : this.#oneMs + 0.1 * (ms - this.#oneMs);
      return;
    }
    if (this.#oneMs === 0) return;
    const kind = kindOf(rows - 1);
    this.#timed[kind] = this.#timed[kind]! * DECAY + Math.max(0, Math.min(MOST, ms / this.#oneMs) - 1);
    this.#assumed[kind] = this.#assumed[kind]! * DECAY + curveAt(cost, context)(rows - 1);
  }

  fork(): RowPrices {
    const copy = new RowPrices(this.#timed.slice(), this.#assumed.slice());
    copy.#oneMs = this.#oneMs;
    return copy;
  }
}

const kindOf = (nodes: number): number => Math.min(KINDS - 1, Math.ceil(Math.log2(nodes + 1)) - 1);

function curveAt(cost: Model["cost"], context: number): (nodes: number) => number {
  const one = cost.ms(1, context);
  return (nodes) => (cost.ms(1 + nodes, context) - one) / one;
}
