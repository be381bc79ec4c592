/** Added to the attention score of a row that must not be seen: exp() of it is 0, and float16 still holds it. */
const HIDDEN = -3e4;

interface Place {
  readonly index: number;
}

/** One row of a pass, as far as visibility goes. */
export interface VisibleRow {
  /** Its own slot. */
  readonly slot: Place;
  /** What it sees besides itself: what an earlier row of the same text sees … */
  readonly parent?: number;
  /** … or, without `parent`, this many tokens of the text … */
  readonly base: number;
  /** … and these rows of earlier passes. */
  readonly ancestors: readonly Place[];
}

/** Rows of a pass that continue one text. */
export interface VisibleText {
  /** Slots of the text, in order. */
  readonly slots: readonly Place[];
  readonly rows: readonly VisibleRow[];
}

/** Which part of a pass a bias is for. */
export interface Window {
  /** Its first row. */
  readonly first: number;
  /** The row behind its last one. */
  readonly end: number;
  /** `S`, more than the slot of any row before `end`. */
  readonly lookedAt: number;
}

/**
 * Builds the bias that attention adds to its scores, `[T · group, S]`: each row of the pass `group` times, once for
 * every head that shares a key head. The buffer is reused from pass to pass.
 *
 * Visibility comes from ownership alone: a row sees the text before it, its ancestors and itself, wherever they lie.
 */
export class VisibilityBias {
  readonly #group: number;
  #buffer = new Float32Array(0);

  /** @param group - Query heads that share a key head. */
  constructor(group: number) {
    this.#group = group;
  }

  /**
   * @param texts - Rows in the order of the pass.
   * @param window - The part of the bias that is wanted.
   * @returns A view that is valid until the next call.
   */
  build(texts: readonly VisibleText[], { first, end, lookedAt }: Window): Float32Array {
    const group = this.#group;
    const extent = lookedAt;
    const size = end * group * extent;
    if (this.#buffer.length < size) this.#buffer = new Float32Array(Math.ceil(1.25 * size));
    const bias = this.#buffer;
    let start = 0;
    for (const { slots, rows } of texts) {
      const textStart = start;
      for (const { slot, parent, base, ancestors } of rows) {
        // Rows before the window are built too, because those in it copy from their parents.
        if (start === size) break;
        if (parent !== undefined) {
          const from = textStart + parent * group * extent;
          bias.copyWithin(start, from, from + extent);
        } else {
          bias.fill(HIDDEN, start, start + extent);
          for (let i = 0; i < base; i++) bias[start + slots[i].index] = 0;
          for (const ancestor of ancestors) bias[start + ancestor.index] = 0;
        }
        bias[start + slot.index] = 0;
        for (let head = 1; head < group; head++)
          bias.copyWithin(start + head * extent, start, start + extent);
        start += group * extent;
      }
    }
    return bias.subarray(first * group * extent, size);
  }
}
