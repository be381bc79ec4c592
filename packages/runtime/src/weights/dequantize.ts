import type { StoredTensor, StoredType } from "./model-weights.ts";
import { STORED_FORMATS } from "./stored-formats.ts";

/**
 * The float32 values of stored bytes, bit for bit those of ggml.
 *
 * @param bytes - `storedBytes(type, count)` bytes.
 * @param count - Number of values, a multiple of the type's block.
 */
export function dequantize(type: StoredType, bytes: Uint8Array, count: number): Float32Array {
  const values = new Float32Array(count);
  dequantizeInto(type, bytes, 0, count, values, 0);
  return values;
}

/** Like {@link dequantize} for the `count` values that begin at `bytes[at]`, written into `into` from `offset` on. */
export function dequantizeInto(
  type: StoredType,
  bytes: Uint8Array,
  at: number,
  count: number,
  into: Float32Array,
  offset: number,
): void {
  const format = STORED_FORMATS[type];
  if (format.kind === "float") {
    format.read(bytes, at, count, into, offset);
    return;
  }
  const { blockValues, blockBytes, group } = format;
  const groups = blockValues / group;
  const levels = new Uint8Array(blockValues);
  const scales = new Float32Array(groups);
  const offsets = new Float32Array(groups);
  const block = { levels, scales, offsets };
  const end = offset + count;
  for (let first = offset; first < end; first += blockValues, at += blockBytes) {
    format.unpack(bytes, at, block, 0, 0);
    for (let g = 0, v = 0; g < groups; g++) {
      const scale = scales[g];
      const shift = offsets[g];
      for (const last = v + group; v < last; v++) into[first + v] = scale * levels[v] + shift;
    }
  }
}

/** Reads a tensor as float32, row-major: norms, biases, rotary factors. */
export async function readFloats(tensor: StoredTensor): Promise<Float32Array> {
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  return dequantize(tensor.type, await tensor.read(), count);
}
