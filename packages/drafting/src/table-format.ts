import { decodeContainer, encodeContainer, headerMisfit, invalidTable } from "./table-container.ts";
import { TokenTable } from "./token-table.ts";

/** What a table belongs to. */
export interface TableOwner {
  /** `Model.contentHash`: tables hold ids of one tokenizer and habits of one model. */
  readonly contentHash: string;
  /** `V`. */
  readonly vocabularySize: number;
}

const MAGIC = "FORETOKN";

interface Header extends TableOwner {
  readonly candidatesPerToken: number;
  readonly rows: number;
}

/**
 * Writes a table as bytes, in the container that all tables share (magic `FORETOKN`, header, body, checksum):
 *
 * ```
 *   header    contentHash, vocabularySize, candidatesPerToken (k), rows
 *   body      int32 [rows, 1 + k]: the token, ascending, then its candidates, best first, -1 where there is none
 * ```
 */
export function encodeTable(table: TokenTable, contentHash: string): Uint8Array<ArrayBuffer> {
  const { vocabularySize, candidatesPerToken } = table;
  const tokens = table.tokens();
  const header: Header = { contentHash, vocabularySize, candidatesPerToken, rows: tokens.length };
  const body = new DataView(new ArrayBuffer(4 * tokens.length * (1 + candidatesPerToken)));
  let at = 0;
  for (const token of tokens) {
    body.setInt32(at, token, true);
    for (let rank = 0; rank < candidatesPerToken; rank++) {
      body.setInt32(at + 4 * (1 + rank), table.candidate(token, rank) ?? -1, true);
    }
    at += 4 * (1 + candidatesPerToken);
  }
  return encodeContainer(MAGIC, { header, body: new Uint8Array(body.buffer) });
}

/**
 * Reads what {@link encodeTable} wrote.
 *
 * @param owner - The model the table must have been made for.
 * @param name - What messages call it, such as its path.
 * @throws `TABLE_INVALID` for another format, version, model or vocabulary, and for bytes that are cut or changed.
 */
export function decodeTable(bytes: Uint8Array, owner: TableOwner, name = "The table"): TokenTable {
  const { header, body } = decodeContainer(bytes, MAGIC, name, "token table");
  if (!isHeader(header) || body.length !== 4 * header.rows * (1 + header.candidatesPerToken)) {
    throw headerMisfit(name, bytes);
  }
  checkOwner(header, owner, name);
  const { vocabularySize, candidatesPerToken, rows } = header;
  const table = new TokenTable({ vocabularySize, candidatesPerToken });
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const inVocabulary = (id: number) => id >= 0 && id < vocabularySize;
  for (let row = 0; row < rows; row++) {
    const at = 4 * row * (1 + candidatesPerToken);
    const [token, ...ids] = Array.from({ length: 1 + candidatesPerToken }, (_, column) =>
      view.getInt32(at + 4 * column, true),
    );
    const count = ids.includes(-1) ? ids.indexOf(-1) : ids.length;
    if (!inVocabulary(token!) || !ids.every((id, rank) => (rank < count ? inVocabulary(id) : id === -1))) {
      throw invalidTable(`${name} holds ids outside its vocabulary of ${vocabularySize}, in row ${row}.`);
    }
    table.set(token!, ids.slice(0, count));
  }
  return table;
}

function isHeader(value: unknown): value is Header {
  const { contentHash, vocabularySize, candidatesPerToken, rows } = (value ?? {}) as Header;
  return (
    typeof contentHash === "string" &&
    [vocabularySize, candidatesPerToken, rows + 1].every((size) => Number.isSafeInteger(size) && size >= 1)
  );
}

function checkOwner(header: Header, owner: TableOwner, name: string): void {
  if (header.contentHash !== owner.contentHash) {
    throw invalidTable(
      `${name} was made for model ${header.contentHash}, but this model is ${owner.contentHash}.`,
    );
  }
  if (header.vocabularySize !== owner.vocabularySize) {
    throw invalidTable(
      `${name} has a vocabulary of ${header.vocabularySize}, but this model has ${owner.vocabularySize}.`,
    );
  }
}
