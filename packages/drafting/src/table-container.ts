import { DecodingError } from "@foretoken/core";
import { crc32 } from "./crc32.ts";

const VERSION = 1;
const MAGIC_BYTES = 8;
/** Magic, version, length of the header. */
const PREAMBLE_BYTES = 16;
const CHECKSUM_BYTES = 4;

/** What stands in a file of tables between magic and checksum. */
export interface TableContents {
  /** Plain JSON. */
  readonly header: unknown;
  /** What the header describes; begins at a multiple of 4. */
  readonly body: Uint8Array;
}

/**
 * Writes a table as bytes, little-endian:
 *
 * ```
 *   8 bytes   magic, ASCII
 *   uint32    version, 1
 *   uint32    length of the header in bytes, a multiple of 4
 *   header    JSON, padded with spaces
 *   body
 *   uint32    CRC-32 of everything before
 * ```
 *
 * @param magic - 8 ASCII characters.
 */
export function encodeContainer(magic: string, { header, body }: TableContents): Uint8Array<ArrayBuffer> {
  const head = paddedJson(header);
  const bodyAt = PREAMBLE_BYTES + head.length;
  const checksumAt = bodyAt + body.length;
  const bytes = new Uint8Array(checksumAt + CHECKSUM_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(MAGIC_BYTES, VERSION, true);
  view.setUint32(MAGIC_BYTES + 4, head.length, true);
  bytes.set(head, PREAMBLE_BYTES);
  bytes.set(body, bodyAt);
  view.setUint32(checksumAt, crc32(bytes.subarray(0, checksumAt)), true);
  return bytes;
}

/**
 * Reads what {@link encodeContainer} wrote.
 *
 * @param name - What messages call the table, such as its path.
 * @param kind - What it should be, such as "token table".
 * @throws `TABLE_INVALID` for another magic or version, and for bytes that are cut or changed.
 */
export function decodeContainer(bytes: Uint8Array, magic: string, name: string, kind: string): TableContents {
  const found = new TextDecoder().decode(bytes.subarray(0, MAGIC_BYTES));
  if (found !== magic) throw invalidTable(`${name} is no ${kind}: it does not begin with ${magic}.`);
  if (bytes.length < PREAMBLE_BYTES + CHECKSUM_BYTES) {
    throw invalidTable(`${name} ends after ${bytes.length} bytes, inside its header.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(MAGIC_BYTES, true);
  if (version !== VERSION) {
    throw invalidTable(`${name} has format version ${version}, but this package reads version ${VERSION}.`);
  }
  const checksumAt = bytes.length - CHECKSUM_BYTES;
  if (crc32(bytes.subarray(0, checksumAt)) !== view.getUint32(checksumAt, true)) {
    throw invalidTable(`${name} (${bytes.length} bytes) is cut or changed: its checksum does not match.`);
  }
  const headerEnd = PREAMBLE_BYTES + view.getUint32(MAGIC_BYTES + 4, true);
  const header = parseJson(bytes.subarray(PREAMBLE_BYTES, Math.min(headerEnd, checksumAt)));
  return { header, body: bytes.subarray(Math.min(headerEnd, checksumAt), checksumAt) };
}

/** The error for a table that cannot be used. */
export const invalidTable = (message: string): DecodingError =>
  new DecodingError("TABLE_INVALID", {
    message,
    fix: "Make the table again with this model, or leave it out: it fills itself while decoding.",
  });

/** The error for a header that does not fit what stands behind it. */
export const headerMisfit = (name: string, bytes: Uint8Array): DecodingError =>
  invalidTable(`${name} has a header that does not describe its ${bytes.length} bytes.`);

function paddedJson(value: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(value));
  const padded = new Uint8Array(4 * Math.ceil(text.length / 4)).fill(0x20);
  padded.set(text);
  return padded;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
