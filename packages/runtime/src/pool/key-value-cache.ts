import type { ModelConfig } from "../weights/model-weights.ts";

/** Rows by which the buffers grow at least. */
const CAPACITY_STEP = 256;

/**
 * Keys and values of every layer, one buffer each, float32 `[kvHeads, capacity, headSize]`.
 *
 * ONNX Runtime reads and, on a CPU, writes these buffers in place, so nothing of the past is ever copied for a pass.
 */
export class KeyValueCache {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  #capacity = 0;
  #keys: Float32Array[] = [];
  #values: Float32Array[] = [];

  constructor({ layers, keyValueHeads, headSize }: ModelConfig) {
    this.layers = layers;
    this.heads = keyValueHeads;
    this.headSize = headSize;
    this.#resize(CAPACITY_STEP);
  }

  /** Rows that fit the buffers; it never shrinks, and buffers are new ones after it has grown. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    return 2 * this.layers * this.heads * this.#capacity * this.headSize * 4;
  }

  key(layer: number): Float32Array {
    return this.#keys[layer];
  }

  value(layer: number): Float32Array {
    return this.#values[layer];
  }

  /** Makes room for `rows` rows. Growing by a quarter at least keeps a long text from being copied again and again. */
  grow(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#resize(Math.ceil(Math.max(rows, 1.25 * this.#capacity) / CAPACITY_STEP) * CAPACITY_STEP);
  }

  /** Copies the row in slot `from` to slot `to`. */
  move(from: number, to: number): void {
    const { headSize } = this;
    const stride = this.#capacity * headSize;
    for (const buffers of [this.#keys, this.#values]) {
      for (const buffer of buffers) {
        for (let head = 0; head < this.heads; head++) {
          const start = head * stride + from * headSize;
          buffer.copyWithin(head * stride + to * headSize, start, start + headSize);
        }
      }
    }
  }

  /** Writes `rows` rows of one layer, `[kvHeads, rows, headSize]` each, from slot `firstSlot` on. */
  write(layer: number, firstSlot: number, rows: number, keys: Float32Array, values: Float32Array): void {
    const chunk = rows * this.headSize;
    for (let head = 0; head < this.heads; head++) {
      const at = (head * this.#capacity + firstSlot) * this.headSize;
      this.#keys[layer].set(keys.subarray(head * chunk, (head + 1) * chunk), at);
      this.#values[layer].set(values.subarray(head * chunk, (head + 1) * chunk), at);
    }
  }

  #resize(capacity: number): void {
    const before = this.#capacity * this.headSize;
    const after = capacity * this.headSize;
    const widen = (old: Float32Array | undefined) => {
      const wide = new Float32Array(this.heads * after);
      if (old) {
        for (let head = 0; head < this.heads; head++) {
          wide.set(old.subarray(head * before, (head + 1) * before), head * after);
        }
      }
      return wide;
    };
    // Layer by layer, so that old and new buffers overlap in memory for one layer only.
    for (let layer = 0; layer < this.layers; layer++) {
      this.#keys[layer] = widen(this.#keys[layer]);
      this.#values[layer] = widen(this.#values[layer]);
    }
    this.#capacity = capacity;
  }
}
