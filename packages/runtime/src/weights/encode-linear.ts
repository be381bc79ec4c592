import { DecodingError } from "@foretoken/core";
import { dequantizeInto } from "./dequantize.ts";
import { finestGrid, rangeWithZero, writeNearestLevels } from "./integer-grid.ts";
import { type BlockLayout, type FloatLayout, linearLayout, type WeightDtype } from "./linear-layout.ts";
import type { StoredTensor, StoredType } from "./model-weights.ts";
import { type BlockFormat, STORED_FORMATS, storedBytes, type UnpackedValues } from "./stored-formats.ts";

/** The weights of a {@link FloatLayout}. */
export interface FloatLinear extends FloatLayout {
  /** `[outputs, inputs]`, row-major. */
  readonly values: Float32Array;
}

/** The weights of a {@link BlockLayout}, as the inputs `B`, `scales` and `zero_points` of `MatMulNBits`. */
export interface BlockLinear extends BlockLayout {
  /** `[outputs, columns / blockSize, blockSize · bits / 8]`; of two 4-bit columns the even one is the low nibble. */
  readonly packed: Uint8Array;
  /** `[outputs, columns / blockSize]` */
  readonly scales: Float32Array;
  /** `[outputs, ⌈columns / blockSize · bits / 8⌉]`, packed like `packed`; present when `hasZeroPoints`. */
  readonly zeroPoints?: Uint8Array;
}

export type EncodedLinear = FloatLinear | BlockLinear;

/**
 * Reads one matrix, or several with the same inputs stacked row upon row, and writes what the graph stores.
 *
 * The result is a {@link linearLayout} of the same arguments with its data. With `stored`, levels are the file's own;
 * real offsets (Q4_1, Q5_1, Q4_K, Q5_K: `w = d·q + m`) become the integer zero point `z` nearest to `-m / d` and a
 * residue `m + z·d`, at most `d / 2` inside the block's range, in the columns below the block sums. Residues of 32
 * blocks share a grid of their own with as many bits as the matrix; that is the only rounding.
 *
 * Holds one stored matrix and the result; at most a row of float32 beside them.
 *
 * @throws `DecodingError` `SHAPE_MISMATCH` when the matrices differ in inputs or there is none.
 */
export async function encodeLinear(
  matrices: readonly StoredTensor[],
  dtype: WeightDtype,
): Promise<EncodedLinear> {
  checkInputs(matrices);
  const layout = linearLayout(matrices, dtype);
  return layout.kind === "float" ? readFloatRows(matrices, layout) : packBlockRows(matrices, layout, dtype);
}

function checkInputs(matrices: readonly StoredTensor[]): void {
  const inputs = matrices.map(({ shape }) => shape[1]);
  if (inputs.length > 0 && inputs.every((count) => count !== undefined && count === inputs[0])) return;
  throw new DecodingError("SHAPE_MISMATCH", {
    message: `Matrices stacked into one need equal numbers of inputs, got [${inputs.join(", ")}].`,
    fix: "Stack only matrices that read the same activations, such as query, key and value.",
  });
}

async function readFloatRows(matrices: readonly StoredTensor[], layout: FloatLayout): Promise<FloatLinear> {
  const values = new Float32Array(layout.outputs * layout.inputs);
  let done = 0;
  for (const { type, shape, read } of matrices) {
    const count = shape[0] * shape[1];
    dequantizeInto(type, await read(), 0, count, values, done);
    done += count;
  }
  return { ...layout, values };
}

/** One row on its way into a {@link BlockLayout}. */
interface BlockRow {
  /** `[columns]` */
  readonly levels: Uint8Array;
  /** `[columns / blockSize]` */
  readonly scales: Float32Array;
  /** `[columns / blockSize]` */
  readonly zeros: Uint8Array;
  /** What the integer zero points leave of the offsets, `[sums]`. */
  readonly residues: Float32Array;
}

async function packBlockRows(
  matrices: readonly StoredTensor[],
  layout: BlockLayout,
  dtype: WeightDtype,
): Promise<BlockLinear> {
  const { bits, outputs, columns, blockSize, sums, hasZeroPoints } = layout;
  const blocks = columns / blockSize;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const packed = new Uint8Array((outputs * columns * bits) / 8);
  const scales = new Float32Array(outputs * blocks);
  const zeroPoints = hasZeroPoints ? new Uint8Array(outputs * zeroBytes) : undefined;
  const row: BlockRow = {
    levels: new Uint8Array(columns),
    scales: new Float32Array(blocks),
    zeros: new Uint8Array(blocks),
    residues: new Float32Array(sums),
  };
  let r = 0;
  for (const { type, shape, read } of matrices) {
    const bytes = await read();
    const rowBytes = storedBytes(type, shape[1]);
    const fillRow =
      dtype === "stored" ? storedRowFiller(type, bytes, layout) : requantisedRowFiller(type, bytes, layout);
    for (let i = 0; i < shape[0]; i++, r++) {
      fillRow(i * rowBytes, row);
      if (sums > 0) appendResidues(row, layout);
      packLevels(row.levels, bits, packed, (r * columns * bits) / 8);
      scales.set(row.scales, r * blocks);
      if (zeroPoints) packLevels(row.zeros, bits, zeroPoints, r * zeroBytes);
    }
  }
  return { ...layout, packed, scales, zeroPoints };
}

/** Fills a row from the stored row at `bytes[at]`. */
type RowFiller = (at: number, row: BlockRow) => void;

/** Keeps the stored levels; types of 5 and 6 bits lie in the middle of 8. */
function storedRowFiller(type: StoredType, bytes: Uint8Array, layout: BlockLayout): RowFiller {
  const format = STORED_FORMATS[type] as BlockFormat;
  const { inputs, blockSize, bits } = layout;
  const groups = inputs / format.group;
  const repeat = format.group / blockSize;
  const centre = 2 ** (bits - 1);
  const unpacked: UnpackedValues = {
    levels: new Uint8Array(inputs),
    scales: new Float32Array(groups),
    offsets: new Float32Array(groups),
  };
  return (at, row) => {
    const perBlock = format.blockValues / format.group;
    for (let v = 0, g = 0; v < inputs; v += format.blockValues, g += perBlock, at += format.blockBytes) {
      format.unpack(bytes, at, unpacked, v, g);
    }
    row.levels.set(unpacked.levels);
    row.residues.fill(0);
    for (let g = 0; g < groups; g++) {
      const first = g * format.group;
      let scale = unpacked.scales[g];
      let zero = centre;
      if (format.zero !== undefined) {
        const shift = centre - format.zero;
        if (shift > 0) for (let i = 0; i < format.group; i++) row.levels[first + i] += shift;
      } else if (scale === 0) {
        // A constant block, m: one step of a grid whose scale is m.
        scale = unpacked.offsets[g];
        zero = 0;
        row.levels.fill(1, first, first + format.group);
      } else {
        zero = Math.min(Math.max(Math.round(-unpacked.offsets[g] / scale), 0), 2 ** bits - 1);
        row.residues[g] = unpacked.offsets[g] + zero * scale;
      }
      row.scales.fill(scale, g * repeat, (g + 1) * repeat);
      row.zeros.fill(zero, g * repeat, (g + 1) * repeat);
    }
  };
}

/** Rounds the dequantised values to a new grid per block of 32: symmetric in 8 bits, with zero points in 4. */
function requantisedRowFiller(type: StoredType, bytes: Uint8Array, layout: BlockLayout): RowFiller {
  const { inputs, blockSize, bits, hasZeroPoints } = layout;
  const values = new Float32Array(inputs);
  const top = 2 ** bits - 1;
  const centre = 2 ** (bits - 1);
  return (at, row) => {
    dequantizeInto(type, bytes, at, inputs, values, 0);
    for (let from = 0, b = 0; from < inputs; from += blockSize, b++) {
      const { min, max } = rangeWithZero(values, from, from + blockSize);
      const grid = hasZeroPoints
        ? finestGrid(min, max, top)
        : { scale: Math.fround(Math.max(max, -min) / (centre - 1)), zero: centre };
      writeNearestLevels(grid, values, from, from + blockSize, top, row.levels, from);
      row.scales[b] = grid.scale;
      row.zeros[b] = grid.zero;
    }
  };
}

/** Writes the row's residues as blocks behind its inputs, below the block sums. */
function appendResidues(row: BlockRow, { inputs, columns, blockSize, bits, sums }: BlockLayout): void {
  const top = 2 ** bits - 1;
  for (let column = inputs; column < columns; column += blockSize) {
    const from = column - inputs;
    const to = Math.max(from, Math.min(from + blockSize, sums));
    const { min, max } = rangeWithZero(row.residues, from, to);
    const grid = finestGrid(min, max, top);
    row.scales[column / blockSize] = grid.scale;
    row.zeros[column / blockSize] = grid.zero;
    writeNearestLevels(grid, row.residues, from, to, top, row.levels, column);
    row.levels.fill(grid.zero, inputs + to, column + blockSize);
  }
}

/** Packs levels of 4 bits two to a byte, the even one low; copies levels of 8 bits. */
function packLevels(levels: Uint8Array, bits: 4 | 8, into: Uint8Array, at: number): void {
  if (bits === 8) {
    into.set(levels, at);
    return;
  }
  const last = levels.length - 1;
  for (let k = 0; k <= last; k += 2, at++) into[at] = levels[k] | (k < last ? levels[k + 1] << 4 : 0);
}
