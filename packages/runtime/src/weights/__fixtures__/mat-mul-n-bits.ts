import type { BlockLinear } from "../encode-linear.ts";
import { type BlockLayout, SUM_WIDTH } from "../linear-layout.ts";

/** What `MatMulNBits` multiplies with, in float64: `[outputs, columns]`. Source: ContribOperators.md of onnxruntime. */
export function decodeBlocks(linear: BlockLinear): Float64Array {
  const { bits, blockSize, outputs, columns, packed, scales, zeroPoints } = linear;
  const blocks = columns / blockSize;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const level = (bytes: Uint8Array, at: number, i: number) =>
    bits === 8 ? bytes[at + i] : (bytes[at + (i >> 1)] >> (4 * (i & 1))) & 15;
  const weights = new Float64Array(outputs * columns);
  for (let n = 0; n < outputs; n++) {
    for (let k = 0; k < columns; k++) {
      const block = Math.floor(k / blockSize);
      const zero = zeroPoints ? level(zeroPoints, n * zeroBytes, block) : 2 ** (bits - 1);
      weights[n * columns + k] =
        scales[n * blocks + block] * (level(packed, (n * columns * bits) / 8, k) - zero);
    }
  }
  return weights;
}

/** Activations `[inputs]` with their block sums and zeros behind them: `[columns]`. */
export function extendActivations(x: Float32Array, { inputs, columns, sums }: BlockLayout): Float32Array {
  const extended = new Float32Array(columns);
  extended.set(x);
  for (let s = 0; s < sums; s++) {
    for (let i = 0; i < SUM_WIDTH; i++) extended[inputs + s] += x[s * SUM_WIDTH + i];
  }
  return extended;
}
