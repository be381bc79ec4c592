/** A metadata value; numbers say which GGUF type they are. */
export type GgufValue =
  | string
  | boolean
  | { readonly u32: number }
  | { readonly f32: number }
  | readonly string[]
  | Int32Array;

/** A float32 tensor of a GGUF file. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Types of metadata values, as the format numbers them. */
const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

const ALIGNMENT = 32;

/**
 * Writes a GGUF file of version 3 with float32 tensors.
 *
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function ggufBytes(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Uint8Array<ArrayBuffer> {
  const file = new Writer();
  file.text("GGUF").u32(3).u64(tensors.length).u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) file.string(key).value(value);
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    file.string(name).u32(shape.length);
    for (const size of [...shape].reverse()) file.u64(size);
    file.u32(0).u64(offset);
    offset += Math.ceil(values.byteLength / ALIGNMENT) * ALIGNMENT;
  }
  file.pad();
  for (const { values } of tensors) {
    for (const value of values) file.f32(value);
    file.pad();
  }
  return file.bytes();
}

/** Little-endian values, one behind the other. */
class Writer {
  #bytes = new Uint8Array(1024);
  #length = 0;

  u32(value: number): this {
    return this.#append(4, (view) => view.setUint32(0, value, true));
  }

  u64(value: number): this {
    return this.#append(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  f32(value: number): this {
    return this.#append(4, (view) => view.setFloat32(0, value, true));
  }

  text(text: string): this {
    for (const byte of new TextEncoder().encode(text)) this.#append(1, (view) => view.setUint8(0, byte));
    return this;
  }

  string(text: string): this {
    return this.u64(new TextEncoder().encode(text).length).text(text);
  }

  value(value: GgufValue): this {
    if (typeof value === "string") return this.u32(TYPE.string).string(value);
    if (typeof value === "boolean") return this.u32(TYPE.bool).text(value ? "\u0001" : "\0");
    if (value instanceof Int32Array) {
      this.u32(TYPE.array).u32(TYPE.i32).u64(value.length);
      for (const item of value) this.u32(item >>> 0);
      return this;
    }
    if ("u32" in value) return this.u32(TYPE.u32).u32(value.u32);
    if ("f32" in value) return this.u32(TYPE.f32).f32(value.f32);
    this.u32(TYPE.array).u32(TYPE.string).u64(value.length);
    for (const item of value) this.string(item);
    return this;
  }

  /** Zeros up to the next multiple of the alignment. */
  pad(): this {
    while (this.#length % ALIGNMENT !== 0) this.#append(1, () => {});
    return this;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #append(count: number, write: (view: DataView) => void): this {
    if (this.#length + count > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    write(new DataView(this.#bytes.buffer, this.#length, count));
    this.#length += count;
    return this;
  }
}
