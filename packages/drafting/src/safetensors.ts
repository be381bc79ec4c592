import { DecodingError } from "@foretoken/core";

/** Bytes of one value of each type that heads hold. */
const VALUE_BYTES = { F32: 4, F16: 2, I32: 4, I8: 1 } as const;

/** The types that heads hold. */
export type SafetensorsType = keyof typeof VALUE_BYTES;

/** One tensor of a safetensors file. */
export interface Safetensor {
  readonly type: SafetensorsType;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  /** Little-endian; a view of the file. */
  readonly bytes: Uint8Array;
}

const LENGTH_BYTES = 8;
const METADATA = "__metadata__";

/**
 * Reads a safetensors file: the length of its header, uint64; the header, JSON; the tensors one after the other.
 *
 * @param name - What messages call the file.
 * @throws `CORRUPT_MODEL` for what is no such file, is cut, or holds a type that heads do not.
 * @see https://huggingface.co/docs/safetensors
 */
export function readSafetensors(bytes: Uint8Array, name: string): ReadonlyMap<string, Safetensor> {
  const { first, entries } = readHeader(bytes, name);
  const tensors = new Map<string, Safetensor>();
  for (const [tensor, entry] of Object.entries(entries)) {
    if (tensor === METADATA) continue;
    const { dtype, shape, data_offsets: offsets } = entry as Partial<HeaderEntry>;
    const size = VALUE_BYTES[dtype as SafetensorsType];
    if (size === undefined) throw corrupt(name, `tensor "${tensor}" is of type ${JSON.stringify(dtype)}`);
    if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
      throw corrupt(name, `the entry of tensor "${tensor}" has no shape or no offsets`);
    }
    const [from, to] = offsets;
    const expected = shape.reduce((product, side) => product * side, size);
    if (to - from !== expected || first + to > bytes.length) {
      throw corrupt(name, `tensor "${tensor}" [${shape}] lies at bytes ${from} to ${to}`);
    }
    tensors.set(tensor, {
      type: dtype as SafetensorsType,
      shape,
      bytes: bytes.subarray(first + from, first + to),
    });
  }
  return tensors;
}

/** What a safetensors file says about itself, by name. @throws `CORRUPT_MODEL` as {@link readSafetensors} */
export function safetensorsMetadata(
  bytes: Uint8Array,
  name: string,
): Readonly<Record<string, string | undefined>> {
  return (readHeader(bytes, name).entries[METADATA] ?? {}) as Record<string, string>;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [from: number, to: number];
}

/** The header, and where the tensors begin. */
function readHeader(bytes: Uint8Array, name: string): { first: number; entries: Record<string, unknown> } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < LENGTH_BYTES ? Number.NaN : Number(view.getBigUint64(0, true));
  if (!(length <= bytes.length - LENGTH_BYTES)) throw corrupt(name, "its header is cut off");
  const first = LENGTH_BYTES + length;
  try {
    const header = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, first));
    return { first, entries: JSON.parse(header) };
  } catch (cause) {
    throw corrupt(name, "its header is no JSON", cause);
  }
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function corrupt(name: string, what: string, cause?: unknown): DecodingError {
  return new DecodingError("CORRUPT_MODEL", {
    message: `${name} is no safetensors file of a head: ${what}.`,
    fix: "Install the head's package again, or train it again.",
    cause,
  });
}
