import { DecodingError } from "@foretoken/core";
import type { ByteSource } from "./byte-source.ts";
import { GgufCursor } from "./gguf-cursor.ts";
import { type GgufValue, readGgufValue } from "./gguf-value.ts";
import type { StoredType } from "./model-weights.ts";
import { STORED_FORMATS, storedBytes } from "./stored-formats.ts";

/** A row of the tensor table. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major, outermost first: the reverse of the file's order. */
  readonly shape: readonly number[];
  readonly type: StoredType;
  /** Offset of the first byte in the file. */
  readonly start: number;
  readonly byteLength: number;
}

/** What stands before the weights. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const TYPE_BY_NUMBER = new Map(
  Object.entries(STORED_FORMATS).map(([type, { ggmlType }]) => [ggmlType, type as StoredType]),
);

/** Names for messages only. Source: `enum ggml_type` of ggml.h. */
const UNREAD_TYPES: Readonly<Record<number, string>> = {
  4: "Q4_2, removed from ggml",
  5: "Q4_3, removed from ggml",
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
};

/** Bytes of the smallest metadata entry (empty key, one-byte value) and tensor row (empty name, one dimension). */
const SMALLEST_ENTRY = 13;
const SMALLEST_TENSOR = 32;

/**
 * Reads and checks the header of a GGUF file of version 2 or 3, without reading a weight.
 *
 * @throws `DecodingError` `NOT_A_MODEL` when the source is something else, `UNSUPPORTED_MODEL` for another version,
 * byte order or tensor type, `CORRUPT_MODEL` for whatever contradicts itself or the file's size.
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  await checkMagic(source);
  const cursor = new GgufCursor(source);
  const [tensorCount, keyCount] = await cursor.take(() => readPreamble(cursor, source.name));

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < keyCount; i++) {
    const [key, value] = await cursor.take(() => {
      const key = cursor.string();
      return [key, readGgufValue(cursor, key)] as const;
    });
    if (metadata.has(key)) throw cursor.corrupt(`the key "${key}" stands there twice`);
    metadata.set(key, value);
  }

  const alignment = readAlignment(cursor, metadata);
  const rows: TensorRow[] = [];
  for (let i = 0; i < tensorCount; i++)
    rows.push(await cursor.take(() => readTensorRow(cursor, source.name)));
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  return { metadata, tensors: placeTensors(cursor, rows, dataStart, alignment, source.size) };
}

async function checkMagic(source: ByteSource): Promise<void> {
  const first = await source.read(0, Math.min(source.size, 256));
  const text = new TextDecoder("utf-8").decode(first);
  if (text.startsWith("GGUF")) return;
  const { what, fix } = describeOther(text, source.size);
  throw new DecodingError("NOT_A_MODEL", { message: `"${source.name}" is no GGUF file: ${what}.`, fix });
}

function describeOther(text: string, size: number): { what: string; fix: string } {
  if (size === 0) {
    return { what: "it is empty", fix: "Fetch it again; the download wrote nothing." };
  }
  if (text.startsWith("version https://git-lfs")) {
    return {
      what: "it is a Git LFS pointer, a few lines that stand for the real file",
      fix: "Run `git lfs pull` in the repository it comes from, or download the file itself.",
    };
  }
  if (/^\s*<(!doctype|html|\?xml|head)/i.test(text)) {
    return {
      what: "it is a web page, probably an error or a login page saved under this name",
      fix: "Download the file itself: the link that ends in `/resolve/…`, not the page that shows it.",
    };
  }
  const start = JSON.stringify(text.slice(0, 4));
  return {
    what: `it begins with ${start}, not with "GGUF"`,
    fix: "Give a file in the GGUF format; other formats have to be converted first.",
  };
}

function readPreamble(cursor: GgufCursor, name: string): [tensorCount: number, keyCount: number] {
  cursor.u32(); // the magic
  const version = cursor.u32();
  if (version !== 2 && version !== 3) {
    const isBigEndian = version === 0x02000000 || version === 0x03000000;
    throw new DecodingError("UNSUPPORTED_MODEL", {
      message: isBigEndian
        ? `"${name}" is a big-endian GGUF file.`
        : `"${name}" is a GGUF file of version ${version}; versions 2 and 3 are read.`,
      fix: isBigEndian
        ? "Fetch the little-endian file, which is the usual one."
        : "Convert the model again with a current llama.cpp.",
    });
  }
  const tensorCount = cursor.count("tensors", SMALLEST_TENSOR);
  return [tensorCount, cursor.count("metadata keys", SMALLEST_ENTRY)];
}

function readAlignment(cursor: GgufCursor, metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment === "number" && alignment > 0 && Number.isInteger(Math.log2(alignment)))
    return alignment;
  throw cursor.corrupt(`"general.alignment" is ${String(alignment)}, not a power of two`);
}

/** A row of the table before its place in the file is known. */
type TensorRow = Omit<GgufTensor, "start"> & { readonly offset: number };

function readTensorRow(cursor: GgufCursor, file: string): TensorRow {
  const name = cursor.string();
  const dimensions = cursor.u32();
  if (dimensions < 1 || dimensions > 4) {
    throw cursor.corrupt(`tensor "${name}" has ${dimensions} dimensions, not 1 to 4`);
  }
  const shape = Array.from({ length: dimensions }, () => cursor.u64()).reverse();
  const typeNumber = cursor.u32();
  const offset = cursor.u64();
  const type = TYPE_BY_NUMBER.get(typeNumber);
  if (!type) {
    const known = UNREAD_TYPES[typeNumber];
    throw new DecodingError("UNSUPPORTED_MODEL", {
      message: `Tensor "${name}" of "${file}" has type ${typeNumber}${known ? ` (${known})` : ""}.`,
      fix: `Use a file quantised to one of ${Object.keys(STORED_FORMATS).join(", ")}.`,
    });
  }
  const count = shape.reduce((product, size) => product * size, 1);
  const rowLength = shape[shape.length - 1];
  if (!Number.isSafeInteger(count) || count === 0) {
    throw cursor.corrupt(`tensor "${name}" has the impossible shape [${shape.join(", ")}]`);
  }
  const { blockValues } = STORED_FORMATS[type];
  if (rowLength % blockValues !== 0) {
    throw cursor.corrupt(
      `rows of tensor "${name}" hold ${rowLength} values, no multiple of ${type}'s ${blockValues}`,
    );
  }
  return { name, shape, type, offset, byteLength: storedBytes(type, count) };
}

function placeTensors(
  cursor: GgufCursor,
  rows: readonly TensorRow[],
  dataStart: number,
  alignment: number,
  fileSize: number,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  for (const { offset, ...row } of rows) {
    const start = dataStart + offset;
    if (tensors.has(row.name)) throw cursor.corrupt(`two tensors are called "${row.name}"`);
    if (offset % alignment !== 0) {
      throw cursor.corrupt(`tensor "${row.name}" begins at offset ${offset}, no multiple of ${alignment}`);
    }
    if (start + row.byteLength > fileSize) {
      throw cursor.corrupt(
        `tensor "${row.name}" would end at byte ${start + row.byteLength}, the file ends at ${fileSize}`,
      );
    }
    tensors.set(row.name, { ...row, start });
  }
  let previous: GgufTensor | undefined;
  for (const tensor of [...tensors.values()].sort((a, b) => a.start - b.start)) {
    if (previous && previous.start + previous.byteLength > tensor.start) {
      throw cursor.corrupt(`tensors "${previous.name}" and "${tensor.name}" overlap`);
    }
    previous = tensor;
  }
  return tensors;
}
