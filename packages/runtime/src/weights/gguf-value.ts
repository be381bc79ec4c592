import type { GgufCursor } from "./gguf-cursor.ts";

/**
 * A metadata value as this runtime holds it: 64-bit integers are numbers where they fit and `bigint` where they do not;
 * arrays of numbers are typed arrays (booleans bytes), so that they take no more memory than in the file.
 */
export type GgufValue = number | bigint | boolean | string | GgufArray;
export type GgufArray =
  | readonly string[]
  | readonly GgufArray[]
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

interface ScalarType {
  readonly size: number;
  readonly get: (view: DataView, at: number) => number | bigint | boolean;
  readonly wrap: (buffer: ArrayBuffer) => GgufArray;
}

const BOOL = 7;
const STRING = 8;
const ARRAY = 9;

/** The numbered value types of GGUF but strings and arrays. Source: `enum gguf_type` of gguf.h. */
const SCALARS: Readonly<Record<number, ScalarType>> = {
  0: { size: 1, get: (view, at) => view.getUint8(at), wrap: (buffer) => new Uint8Array(buffer) },
  1: { size: 1, get: (view, at) => view.getInt8(at), wrap: (buffer) => new Int8Array(buffer) },
  2: { size: 2, get: (view, at) => view.getUint16(at, true), wrap: (buffer) => new Uint16Array(buffer) },
  3: { size: 2, get: (view, at) => view.getInt16(at, true), wrap: (buffer) => new Int16Array(buffer) },
  4: { size: 4, get: (view, at) => view.getUint32(at, true), wrap: (buffer) => new Uint32Array(buffer) },
  5: { size: 4, get: (view, at) => view.getInt32(at, true), wrap: (buffer) => new Int32Array(buffer) },
  6: { size: 4, get: (view, at) => view.getFloat32(at, true), wrap: (buffer) => new Float32Array(buffer) },
  [BOOL]: { size: 1, get: (view, at) => view.getUint8(at) !== 0, wrap: (buffer) => new Uint8Array(buffer) },
  10: {
    size: 8,
    get: (view, at) => narrow(view.getBigUint64(at, true)),
    wrap: (buffer) => new BigUint64Array(buffer),
  },
  11: {
    size: 8,
    get: (view, at) => narrow(view.getBigInt64(at, true)),
    wrap: (buffer) => new BigInt64Array(buffer),
  },
  12: { size: 8, get: (view, at) => view.getFloat64(at, true), wrap: (buffer) => new Float64Array(buffer) },
};

/** Arrays of arrays are legal and used by nobody; deeper ones than this are an attack on the stack. */
const DEEPEST_ARRAY = 4;

/** Reads the value of metadata key `key`: a 32-bit type, then the value. */
export function readGgufValue(cursor: GgufCursor, key: string): GgufValue {
  const type = cursor.u32();
  if (type === STRING) return cursor.string();
  if (type === ARRAY) return readArray(cursor, key, 1);
  const scalar = scalarType(cursor, key, type);
  return cursor.scalar(scalar.size, scalar.get);
}

function readArray(cursor: GgufCursor, key: string, depth: number): GgufArray {
  if (depth > DEEPEST_ARRAY) {
    throw cursor.corrupt(`"${key}" holds arrays nested more than ${DEEPEST_ARRAY} deep`);
  }
  const type = cursor.u32();
  const what = `entries in "${key}"`;
  if (type === STRING) return readMany(cursor.count(what, 8), () => cursor.string());
  if (type === ARRAY) return readMany(cursor.count(what, 12), () => readArray(cursor, key, depth + 1));
  const scalar = scalarType(cursor, key, type);
  const length = cursor.count(what, scalar.size);
  return scalar.wrap(cursor.bytes(length * scalar.size).slice().buffer as ArrayBuffer);
}

/** Grows with what is there instead of trusting the count: a check against the size leaves room for a factor of eight. */
function readMany<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let i = 0; i < count; i++) items.push(read());
  return items;
}

function scalarType(cursor: GgufCursor, key: string, type: number): ScalarType {
  const scalar = SCALARS[type];
  if (!scalar) throw cursor.corrupt(`"${key}" has the unknown value type ${type}`);
  return scalar;
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
