import { float16At } from "./float16.ts";
import type { StoredType } from "./model-weights.ts";

/** A type that stores each value by itself. */
export interface FloatFormat {
  readonly kind: "float";
  /** Number of the type in a GGUF tensor table. */
  readonly ggmlType: number;
  readonly blockValues: 1;
  readonly blockBytes: number;
  /** Writes `count` values that begin at `bytes[at]` into `into` from `offset` on. */
  read(bytes: Uint8Array, at: number, count: number, into: Float32Array, offset: number): void;
}

/**
 * Unpacked values `w = scale · level + offset`, one scale and offset for each group of consecutive values.
 *
 * Every product and every offset below is exact in float32, so `scale * level + offset` in a double and rounded
 * once is bit for bit what ggml and gguf-py compute.
 */
export interface UnpackedValues {
  /** `[values]`, unsigned. */
  readonly levels: Uint8Array;
  /** `[values / group]` */
  readonly scales: Float32Array;
  /** `[values / group]` */
  readonly offsets: Float32Array;
}

/** A type that stores integer levels in blocks that share scales. */
export interface BlockFormat {
  readonly kind: "blocks";
  readonly ggmlType: number;
  /** Values of a block; rows are whole blocks. */
  readonly blockValues: 32 | 256;
  readonly blockBytes: number;
  /** Values that share a scale. */
  readonly group: 16 | 32;
  /** The level that means 0, where the type fixes one; otherwise offsets are real numbers. */
  readonly zero?: number;
  /** Unpacks the block at `bytes[at]` into `into`, from value `v` and group `g` on. */
  unpack(bytes: Uint8Array, at: number, into: UnpackedValues, v: number, g: number): void;
}

/** How each stored type lies in memory. Source: the block structs and `dequantize_row_*` of ggml-quants.c. */
export const STORED_FORMATS: Readonly<Record<StoredType, FloatFormat | BlockFormat>> = {
  F32: { kind: "float", ggmlType: 0, blockValues: 1, blockBytes: 4, read: readF32 },
  F16: { kind: "float", ggmlType: 1, blockValues: 1, blockBytes: 2, read: readF16 },
  BF16: { kind: "float", ggmlType: 30, blockValues: 1, blockBytes: 2, read: readBF16 },
  Q4_0: {
    kind: "blocks",
    ggmlType: 2,
    blockValues: 32,
    blockBytes: 18,
    group: 32,
    zero: 8,
    unpack(bytes, at, into, v, g) {
      setCentred(into, g, float16At(bytes, at), 8);
      unpackNibbles(bytes, at + 2, 16, into.levels, v);
    },
  },
  Q4_1: {
    kind: "blocks",
    ggmlType: 3,
    blockValues: 32,
    blockBytes: 20,
    group: 32,
    unpack(bytes, at, into, v, g) {
      into.scales[g] = float16At(bytes, at);
      into.offsets[g] = float16At(bytes, at + 2);
      unpackNibbles(bytes, at + 4, 16, into.levels, v);
    },
  },
  Q5_0: {
    kind: "blocks",
    ggmlType: 6,
    blockValues: 32,
    blockBytes: 22,
    group: 32,
    zero: 16,
    unpack(bytes, at, into, v, g) {
      setCentred(into, g, float16At(bytes, at), 16);
      unpackNibbles(bytes, at + 6, 16, into.levels, v);
      addFifthBits(bytes, at + 2, into.levels, v);
    },
  },
  Q5_1: {
    kind: "blocks",
    ggmlType: 7,
    blockValues: 32,
    blockBytes: 24,
    group: 32,
    unpack(bytes, at, into, v, g) {
      into.scales[g] = float16At(bytes, at);
      into.offsets[g] = float16At(bytes, at + 2);
      unpackNibbles(bytes, at + 8, 16, into.levels, v);
      addFifthBits(bytes, at + 4, into.levels, v);
    },
  },
  Q8_0: {
    kind: "blocks",
    ggmlType: 8,
    blockValues: 32,
    blockBytes: 34,
    group: 32,
    zero: 128,
    unpack(bytes, at, into, v, g) {
      setCentred(into, g, float16At(bytes, at), 128);
      // Flipping the sign bit of an int8 adds 128.
      for (let i = 0; i < 32; i++) into.levels[v + i] = bytes[at + 2 + i] ^ 0x80;
    },
  },
  Q4_K: {
    kind: "blocks",
    ggmlType: 12,
    blockValues: 256,
    blockBytes: 144,
    group: 32,
    unpack(bytes, at, into, v, g) {
      setPackedScales(bytes, at, into, g);
      for (let pair = 0; pair < 4; pair++) {
        unpackNibbles(bytes, at + 16 + 32 * pair, 32, into.levels, v + 64 * pair);
      }
    },
  },
  Q5_K: {
    kind: "blocks",
    ggmlType: 13,
    blockValues: 256,
    blockBytes: 176,
    group: 32,
    unpack(bytes, at, into, v, g) {
      setPackedScales(bytes, at, into, g);
      for (let pair = 0; pair < 4; pair++) {
        unpackNibbles(bytes, at + 48 + 32 * pair, 32, into.levels, v + 64 * pair);
      }
      // Bit `j` of byte `i` is the fifth bit of value `i` of group `j`.
      for (let j = 0; j < 8; j++) {
        for (let i = 0; i < 32; i++) into.levels[v + 32 * j + i] |= ((bytes[at + 16 + i] >> j) & 1) << 4;
      }
    },
  },
  Q6_K: {
    kind: "blocks",
    ggmlType: 14,
    blockValues: 256,
    blockBytes: 210,
    group: 16,
    zero: 32,
    unpack(bytes, at, into, v, g) {
      const scale = float16At(bytes, at + 208);
      for (let j = 0; j < 16; j++) setCentred(into, g + j, scale * ((bytes[at + 192 + j] << 24) >> 24), 32);
      for (let half = 0; half < 2; half++) {
        const low = at + 64 * half;
        const high = at + 128 + 32 * half;
        const first = v + 128 * half;
        // Nibbles of 64 bytes: values 0-63 low, 64-127 high; two more bits each, four values to a byte.
        unpackNibbles(bytes, low, 64, into.levels, first);
        for (let quarter = 0; quarter < 4; quarter++) {
          for (let i = 0; i < 32; i++) {
            into.levels[first + 32 * quarter + i] |= ((bytes[high + i] >> (2 * quarter)) & 3) << 4;
          }
        }
      }
    },
  },
};

/** Bytes that `count` values of `type` take; `count` must be a multiple of the type's block. */
export function storedBytes(type: StoredType, count: number): number {
  const { blockValues, blockBytes } = STORED_FORMATS[type];
  return (count / blockValues) * blockBytes;
}

/** Low nibbles of `count` bytes, then their high nibbles. */
function unpackNibbles(bytes: Uint8Array, at: number, count: number, levels: Uint8Array, v: number): void {
  for (let i = 0; i < count; i++) {
    const byte = bytes[at + i];
    levels[v + i] = byte & 15;
    levels[v + count + i] = byte >> 4;
  }
}

/** Bit `i` of the 32-bit word at `bytes[at]` is the fifth bit of value `i`. */
function addFifthBits(bytes: Uint8Array, at: number, levels: Uint8Array, v: number): void {
  for (let i = 0; i < 32; i++) levels[v + i] |= ((bytes[at + (i >> 3)] >> (i & 7)) & 1) << 4;
}

function setCentred(into: UnpackedValues, g: number, scale: number, zero: number): void {
  into.scales[g] = scale;
  into.offsets[g] = -zero * scale;
}

/** Scales and minima of the eight groups of a Q4_K or Q5_K block: 6 bits each in 12 bytes, times two halves. */
function setPackedScales(bytes: Uint8Array, at: number, into: UnpackedValues, g: number): void {
  const scale = float16At(bytes, at);
  const minimum = float16At(bytes, at + 2);
  const packed = at + 4;
  for (let j = 0; j < 8; j++) {
    const a = bytes[packed + j];
    const b = bytes[packed + j + 4];
    const level = j < 4 ? a & 63 : (b & 15) | ((bytes[packed + j - 4] >> 6) << 4);
    const minimumLevel = j < 4 ? b & 63 : (b >> 4) | ((a >> 6) << 4);
    into.scales[g + j] = scale * level;
    into.offsets[g + j] = -minimum * minimumLevel;
  }
}

// GGUF and every machine that runs JavaScript engines with WebGPU or ONNX Runtime are little-endian.
function readF32(bytes: Uint8Array, at: number, count: number, into: Float32Array, offset: number): void {
  new Uint8Array(into.buffer, into.byteOffset + 4 * offset, 4 * count).set(
    bytes.subarray(at, at + 4 * count),
  );
}

function readF16(bytes: Uint8Array, at: number, count: number, into: Float32Array, offset: number): void {
  for (let i = 0; i < count; i++) into[offset + i] = float16At(bytes, at + 2 * i);
}

/** A bfloat16 is the upper half of a float32. */
function readBF16(bytes: Uint8Array, at: number, count: number, into: Float32Array, offset: number): void {
  const words = new Uint32Array(into.buffer, into.byteOffset + 4 * offset, count);
  for (let i = 0; i < count; i++) words[i] = (bytes[at + 2 * i] << 16) | (bytes[at + 2 * i + 1] << 24);
}
