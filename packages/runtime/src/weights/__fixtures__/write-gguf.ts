import type { StoredType } from "../model-weights.ts";
import { STORED_FORMATS } from "../stored-formats.ts";

/** A metadata value with the GGUF type it is written as. */
export type WrittenValue =
  | { readonly type: "u32" | "u64" | "f32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "u32s"; readonly value: readonly number[] };

export interface WrittenTensor {
  readonly name: string;
  /** Outermost first. */
  readonly shape: readonly number[];
  readonly type: StoredType;
  readonly bytes: Uint8Array;
}

export interface GgufParts {
  readonly version?: number;
  readonly metadata: Readonly<Record<string, WrittenValue>>;
  readonly tensors: readonly WrittenTensor[];
  /** Where tensors begin: multiples of this. It is written into the metadata by the caller, or not. */
  readonly alignment?: number;
  /** Order of the tensors' data, as indices into `tensors`; by default that of the table. */
  readonly dataOrder?: readonly number[];
  /** Empty alignment units before each tensor but the first. */
  readonly gap?: number;
}

/** Bytes of a header or file, appended piece by piece. */
export class GgufBytes {
  readonly #pieces: Uint8Array[] = [];
  length = 0;

  raw(bytes: Uint8Array): this {
    this.#pieces.push(bytes);
    this.length += bytes.length;
    return this;
  }

  u32(value: number): this {
    return this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  u64(value: number | bigint): this {
    return this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  f32(value: number): this {
    return this.raw(new Uint8Array(Float32Array.of(value).buffer));
  }

  string(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u64(bytes.length).raw(bytes);
  }

  value(written: WrittenValue): this {
    switch (written.type) {
      case "u32":
        return this.u32(4).u32(written.value);
      case "u64":
        return this.u32(10).u64(written.value);
      case "f32":
        return this.u32(6).f32(written.value);
      case "bool":
        return this.u32(7).raw(Uint8Array.of(written.value ? 1 : 0));
      case "string":
        return this.u32(8).string(written.value);
      case "strings":
        this.u32(9).u32(8).u64(written.value.length);
        for (const text of written.value) this.string(text);
        return this;
      case "u32s":
        this.u32(9).u32(4).u64(written.value.length);
        for (const value of written.value) this.u32(value);
        return this;
    }
  }

  padTo(multiple: number): this {
    return this.raw(new Uint8Array((multiple - (this.length % multiple)) % multiple));
  }

  bytes(): Uint8Array {
    const joined = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }
}

/** Writes a GGUF file; no padding follows the last tensor. */
export function writeGguf(parts: GgufParts): Uint8Array {
  const { metadata, tensors, alignment = 32, gap = 0 } = parts;
  const order = parts.dataOrder ?? tensors.map((_, i) => i);
  const offsets = new Map<number, number>();
  const data = new GgufBytes();
  for (const i of order) {
    if (data.length > 0) data.padTo(alignment).raw(new Uint8Array(gap * alignment).fill(0xee));
    offsets.set(i, data.length);
    data.raw(tensors[i].bytes);
  }

  const entries = Object.entries(metadata);
  const file = new GgufBytes().raw(new TextEncoder().encode("GGUF")).u32(parts.version ?? 3);
  file.u64(tensors.length).u64(entries.length);
  for (const [key, value] of entries) file.string(key).value(value);
  tensors.forEach(({ name, shape, type }, i) => {
    file.string(name).u32(shape.length);
    for (const size of [...shape].reverse()) file.u64(size);
    file.u32(STORED_FORMATS[type].ggmlType).u64(offsets.get(i) ?? 0);
  });
  return file.padTo(alignment).raw(data.bytes()).bytes();
}

/** The metadata of a tiny llama: width 16, 2 heads of 8, 1 key-value head, 1 layer, as many tokens as given. */
export function tinyMetadata(tokens = 12): Record<string, WrittenValue> {
  return {
    "general.architecture": { type: "string", value: "llama" },
    "llama.block_count": { type: "u32", value: 1 },
    "llama.context_length": { type: "u32", value: 32 },
    "llama.embedding_length": { type: "u32", value: 16 },
    "llama.feed_forward_length": { type: "u32", value: 24 },
    "llama.attention.head_count": { type: "u32", value: 2 },
    "llama.attention.head_count_kv": { type: "u32", value: 1 },
    "llama.attention.layer_norm_rms_epsilon": { type: "f32", value: 1e-5 },
    "tokenizer.ggml.tokens": { type: "strings", value: Array.from({ length: tokens }, (_, i) => `t${i}`) },
  };
}

/** The tensors that go with {@link tinyMetadata}; values count up, so that each tensor is told apart. */
export function tinyTensors({ rows = 12, headSize = 8 } = {}): WrittenTensor[] {
  let next = 0;
  const tensor = (name: string, ...shape: number[]): WrittenTensor => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next++);
    return { name, shape, type: "F32", bytes: new Uint8Array(values.buffer) };
  };
  return [
    tensor("token_embd.weight", rows, 16),
    tensor("blk.0.attn_norm.weight", 16),
    tensor("blk.0.attn_q.weight", 2 * headSize, 16),
    tensor("blk.0.attn_k.weight", headSize, 16),
    tensor("blk.0.attn_v.weight", headSize, 16),
    tensor("blk.0.attn_output.weight", 16, 2 * headSize),
    tensor("blk.0.ffn_norm.weight", 16),
    tensor("blk.0.ffn_gate.weight", 24, 16),
    tensor("blk.0.ffn_up.weight", 24, 16),
    tensor("blk.0.ffn_down.weight", 16, 24),
    tensor("output_norm.weight", 16),
  ];
}
