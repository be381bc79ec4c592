import type { StoredTensor, StoredType } from "./model-weights.ts";

/**
 * How the graph holds its matrices.
 *
 * - `stored`: the file's own precision, whatever mixture that is.
 * - `fp32`: float32, dequantised.
 * - `fp16`: float16, dequantised; where the device computes in it.
 * - `q8`: requantised to 8 bits, blocks of 32, symmetric.
 * - `q4`: requantised to 4 bits, blocks of 32, with zero points; loses quality on files that are 4-bit already.
 */
export type WeightDtype = "stored" | "fp32" | "fp16" | "q8" | "q4";

/** A matrix of float32, for `FusedMatMul` with `transB = 1` (onnxruntime runs `[inputs, outputs]` no faster). */
export interface FloatLayout {
  readonly kind: "float";
  readonly outputs: number;
  readonly inputs: number;
}

/**
 * A matrix of integer blocks for `com.microsoft.MatMulNBits`: `K = columns`, `N = outputs`, `bits`,
 * `block_size = blockSize`, `accuracy_level = 4` on a CPU.
 *
 * With `sums > 0` the matrix has more columns than inputs. The activations must then be extended to
 *
 * `[x_0 … x_{inputs-1}, S_0 … S_{sums-1}, 0 …]`, `S_b` = sum of `x` over inputs `32 b … 32 b + 31`,
 *
 * with zeros up to `columns`. The weights below the sums are the part of the blocks' real offsets that integer
 * zero points cannot express.
 */
export interface BlockLayout {
  readonly kind: "blocks";
  readonly bits: 4 | 8;
  /** Inputs that share a scale; 16 only where the file stores a scale per 16. */
  readonly blockSize: 16 | 32;
  readonly outputs: number;
  readonly inputs: number;
  /** `K` of the node: `inputs`, plus `sums` rounded up to a multiple of `blockSize`. */
  readonly columns: number;
  /** Block sums that the activations carry: `inputs / 32`, or 0 when no residues are needed. */
  readonly sums: number;
  /** Whether the node gets zero points; without them they are 8 (4 bits) or 128 (8 bits). */
  readonly hasZeroPoints: boolean;
}

/** What the graph has to know of a linear layer before its weights are read. */
export type LinearLayout = FloatLayout | BlockLayout;

/** Inputs that share one block sum. */
export const SUM_WIDTH = 32;

/** What a stored type needs of `MatMulNBits`; absent for the float types, which stay float32. */
const BLOCK_NEEDS: Readonly<
  Partial<Record<StoredType, { bits: 4 | 8; blockSize: 16 | 32; hasOffsets: boolean }>>
> = {
  Q4_0: { bits: 4, blockSize: 32, hasOffsets: false },
  Q4_1: { bits: 4, blockSize: 32, hasOffsets: true },
  Q4_K: { bits: 4, blockSize: 32, hasOffsets: true },
  Q5_0: { bits: 8, blockSize: 32, hasOffsets: false },
  Q5_1: { bits: 8, blockSize: 32, hasOffsets: true },
  Q5_K: { bits: 8, blockSize: 32, hasOffsets: true },
  Q6_K: { bits: 8, blockSize: 16, hasOffsets: false },
  Q8_0: { bits: 8, blockSize: 32, hasOffsets: false },
};

/**
 * The layout in which {@link encodeLinear} writes these matrices; needs types and shapes only, reads nothing.
 *
 * Several matrices with the same inputs (query, key and value; gate and up) become one, rows in the order given.
 * Where their types differ, all take the widest: more bits, the smaller block, float32 beside a float type.
 *
 * @param matrices - One or more matrices `[outputs, inputs]` with equal `inputs`.
 */
export function linearLayout(
  matrices: readonly Pick<StoredTensor, "shape" | "type">[],
  dtype: WeightDtype,
): LinearLayout {
  const inputs = matrices[0].shape[1];
  const outputs = matrices.reduce((sum, matrix) => sum + matrix.shape[0], 0);
  const float: FloatLayout = { kind: "float", outputs, inputs };
  if (dtype === "fp32" || dtype === "fp16") return float;
  // Whole blocks only: MatMulNBits would pad the last one, and no width of a real model needs that.
  if (inputs % SUM_WIDTH !== 0) return float;
  if (dtype !== "stored") {
    const bits = dtype === "q4" ? 4 : 8;
    const hasZeroPoints = dtype === "q4";
    return { kind: "blocks", bits, blockSize: 32, outputs, inputs, columns: inputs, sums: 0, hasZeroPoints };
  }
  const needs = matrices.map(({ type }) => BLOCK_NEEDS[type]);
  if (!needs.every((need) => need !== undefined)) return float;
  const bits = needs.some((need) => need.bits === 8) ? 8 : 4;
  const blockSize = needs.some((need) => need.blockSize === 16) ? 16 : 32;
  const hasZeroPoints = needs.some((need) => need.hasOffsets);
  const sums = hasZeroPoints ? inputs / SUM_WIDTH : 0;
  const columns = inputs + Math.ceil(sums / blockSize) * blockSize;
  return { kind: "blocks", bits, blockSize, outputs, inputs, columns, sums, hasZeroPoints };
}
