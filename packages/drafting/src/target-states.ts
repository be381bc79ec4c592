import type { Round } from "@foretoken/core";

/** The target's final-norm states of a text, by position; there are none where the text was cached before drafting began. */
export class TargetStates {
  readonly #rows: (Float32Array | undefined)[];

  constructor(rows: readonly (Float32Array | undefined)[] = []) {
    this.#rows = [...rows];
  }

  /** The state of a position, `[D]`. */
  at(position: number): Float32Array | undefined {
    return this.#rows[position];
  }

  /** Keeps the states of the rows that become text. */
  async observe({ pass, position, committed }: Round): Promise<void> {
    const states = pass.hidden("final");
    const [, width] = states.shape;
    const values = await states.read();
    committed.forEach((row, index) => {
      this.#rows[position + index] = values.slice(row * width, (row + 1) * width);
    });
  }

  truncate(length: number): void {
    this.#rows.length = Math.min(this.#rows.length, length);
  }

  fork(): TargetStates {
    return new TargetStates(this.#rows);
  }
}
