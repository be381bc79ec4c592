import type { ModelConfig } from "../weights/model-weights.ts";
import type { RowStore } from "./row-store.ts";

/** Rows by which the buffers grow at least. */
const CAPACITY_STEP = 256;

/**
 * Keys and values of every layer, one buffer each, float32 `[capacity, kvHeads, headSize]`.
 *
 * Rows lie one after the other, so that any run of rows is a view: ONNX Runtime reads the buffers in place, and on a
 * CPU writes new rows straight into them. Nothing of the past is ever copied for a pass.
 */
export class KeyValueCache implements RowStore {
  /** A dead row costs as much as a live one in every pass; moving one costs a few microseconds, once. */
  readonly leastAlive = 1;
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  #capacity = 0;
  readonly #keys: Float32Array[] = [];
  readonly #values: Float32Array[] = [];

  constructor({ layers, keyValueHeads, headSize }: ModelConfig) {
    this.layers = layers;
    this.heads = keyValueHeads;
    this.headSize = headSize;
    this.grow(CAPACITY_STEP);
  }

  /** Rows that fit the buffers; never shrinks, and the buffers are other ones after it has grown. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    return 2 * this.layers * this.#capacity * this.#rowLength * 4;
  }

  /** A view of `count` rows of a layer's keys from `first` on. */
  keys(layer: number, first: number, count: number): Float32Array {
    return this.#keys[layer].subarray(first * this.#rowLength, (first + count) * this.#rowLength);
  }

  /** A view of `count` rows of a layer's values from `first` on. */
  values(layer: number, first: number, count: number): Float32Array {
    return this.#values[layer].subarray(first * this.#rowLength, (first + count) * this.#rowLength);
  }

  /** Makes room for `rows` rows. Growing by a quarter at least keeps a long text from being copied again and again. */
  grow(rows: number): void {
    if (rows <= this.#capacity) return;
    const capacity = Math.ceil(Math.max(rows, 1.25 * this.#capacity) / CAPACITY_STEP) * CAPACITY_STEP;
    // Buffer by buffer, so that old and new ones overlap in memory for one only.
    for (const buffers of [this.#keys, this.#values]) {
      for (let layer = 0; layer < this.layers; layer++) {
        const wide = new Float32Array(capacity * this.#rowLength);
        if (buffers[layer]) wide.set(buffers[layer]);
        buffers[layer] = wide;
      }
    }
    this.#capacity = capacity;
  }

  /** Copies the row in slot `from` to slot `to`. */
  move(from: number, to: number): void {
    const length = this.#rowLength;
    for (const buffers of [this.#keys, this.#values]) {
      for (const buffer of buffers) buffer.copyWithin(to * length, from * length, (from + 1) * length);
    }
  }

  /** Nothing lies on a device. */
  release(): void {}

  get #rowLength(): number {
    return this.heads * this.headSize;
  }
}
