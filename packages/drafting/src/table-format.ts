import { DecodingError } from "@foretoken/core";
import { crc32 } from "./crc32.ts";
import { TokenTable } from "./token-table.ts";

/** What a table belongs to. */
export interface TableOwner {
  /** `Model.contentHash`: tables hold ids of one tokenizer and habits of one model. */
  readonly contentHash: string;
  /** `V`. */
  readonly vocabularySize: number;
}

const MAGIC = "FORETOKN";
const VERSION = 1;
/** Magic, version, length of the header. */
const PREAMBLE_BYTES = 16;
const CHECKSUM_BYTES = 4;

interface Header extends TableOwner {
  readonly candidatesPerToken: number;
  readonly rows: number;
}

/**
 * Writes a table as bytes, little-endian:
 *
 * ```
 *   8 bytes   "FORETOKN"
 *   uint32    version, 1
 *   uint32    length of the header in bytes, a multiple of 4
 *   header    JSON, padded with spaces: contentHash, vocabularySize, candidatesPerToken (k), rows
 *   rows      int32 [rows, 1 + k]: the token, ascending, then its candidates, best first, -1 where there is none
 *   uint32    CRC-32 of everything before
 * ```
 */
export function encodeTable(table: TokenTable, contentHash: string): Uint8Array<ArrayBuffer> {
  const { vocabularySize, candidatesPerToken } = table;
  const tokens = table.tokens();
  const header = encodeHeader({ contentHash, vocabularySize, candidatesPerToken, rows: tokens.length });
  const rowsAt = PREAMBLE_BYTES + header.length;
  const checksumAt = rowsAt + 4 * tokens.length * (1 + candidatesPerToken);

  const bytes = new Uint8Array(checksumAt + CHECKSUM_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, VERSION, true);
  view.setUint32(12, header.length, true);
  bytes.set(header, PREAMBLE_BYTES);
  let at = rowsAt;
  for (const token of tokens) {
    view.setInt32(at, token, true);
    for (let rank = 0; rank < candidatesPerToken; rank++) {
      view.setInt32(at + 4 * (1 + rank), table.candidate(token, rank) ?? -1, true);
    }
    at += 4 * (1 + candidatesPerToken);
  }
  view.setUint32(checksumAt, crc32(bytes.subarray(0, checksumAt)), true);
  return bytes;
}

/**
 * Reads what {@link encodeTable} wrote.
 *
 * @param owner - The model the table must have been made for.
 * @param name - What messages call it, such as its path.
 * @throws `TABLE_INVALID` for another format, version, model or vocabulary, and for bytes that are cut or changed.
 */
export function decodeTable(bytes: Uint8Array, owner: TableOwner, name = "The table"): TokenTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = decodeHeader(bytes, view, name);
  checkOwner(header, owner, name);
  const { vocabularySize, candidatesPerToken, rows } = header;
  const table = new TokenTable({ vocabularySize, candidatesPerToken });
  const rowsAt = PREAMBLE_BYTES + view.getUint32(12, true);
  const inVocabulary = (id: number) => id >= 0 && id < vocabularySize;
  for (let row = 0; row < rows; row++) {
    const at = rowsAt + 4 * row * (1 + candidatesPerToken);
    const [token, ...ids] = Array.from({ length: 1 + candidatesPerToken }, (_, column) =>
      view.getInt32(at + 4 * column, true),
    );
    const count = ids.includes(-1) ? ids.indexOf(-1) : ids.length;
    if (!inVocabulary(token!) || !ids.every((id, rank) => (rank < count ? inVocabulary(id) : id === -1))) {
      throw invalid(`${name} holds ids outside its vocabulary of ${vocabularySize}, in row ${row}.`);
    }
    table.set(token!, ids.slice(0, count));
  }
  return table;
}

function encodeHeader(header: Header): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(4 * Math.ceil(text.length / 4)).fill(0x20);
  padded.set(text);
  return padded;
}

/** Everything about the bytes but whose they are. */
function decodeHeader(bytes: Uint8Array, view: DataView, name: string): Header {
  const least = PREAMBLE_BYTES + CHECKSUM_BYTES;
  const magic = new TextDecoder().decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) throw invalid(`${name} is no token table: it does not begin with ${MAGIC}.`);
  if (bytes.length < least) throw invalid(`${name} ends after ${bytes.length} bytes, inside its header.`);
  const version = view.getUint32(8, true);
  if (version !== VERSION) {
    throw invalid(`${name} has format version ${version}, but this package reads version ${VERSION}.`);
  }
  const checksumAt = bytes.length - CHECKSUM_BYTES;
  if (crc32(bytes.subarray(0, checksumAt)) !== view.getUint32(checksumAt, true)) {
    throw invalid(`${name} (${bytes.length} bytes) is cut or changed: its checksum does not match.`);
  }
  const headerEnd = PREAMBLE_BYTES + view.getUint32(12, true);
  const header = parseHeader(bytes.subarray(PREAMBLE_BYTES, headerEnd));
  const length = header && headerEnd + 4 * header.rows * (1 + header.candidatesPerToken) + CHECKSUM_BYTES;
  if (header === undefined || length !== bytes.length) {
    throw invalid(`${name} has a header that does not describe its ${bytes.length} bytes.`);
  }
  return header;
}

function parseHeader(bytes: Uint8Array): Header | undefined {
  try {
    const header = JSON.parse(new TextDecoder().decode(bytes)) as Header;
    const sizes = [header.vocabularySize, header.candidatesPerToken, header.rows + 1];
    const isSound =
      typeof header.contentHash === "string" &&
      sizes.every((size) => Number.isSafeInteger(size) && size >= 1);
    return isSound ? header : undefined;
  } catch {
    return undefined;
  }
}

function checkOwner(header: Header, owner: TableOwner, name: string): void {
  if (header.contentHash !== owner.contentHash) {
    throw invalid(
      `${name} was made for model ${header.contentHash}, but this model is ${owner.contentHash}.`,
    );
  }
  if (header.vocabularySize !== owner.vocabularySize) {
    throw invalid(
      `${name} has a vocabulary of ${header.vocabularySize}, but this model has ${owner.vocabularySize}.`,
    );
  }
}

const invalid = (message: string): DecodingError =>
  new DecodingError("TABLE_INVALID", {
    message,
    fix: "Make the table again with this model, or leave it out: it fills itself while decoding.",
  });
