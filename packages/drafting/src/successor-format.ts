import { checkOwner, type OwningModel } from "./successor-owner.ts";
import { type SuccessorArrays, type SuccessorShape, SuccessorTable } from "./successor-table.ts";
import { decodeContainer, encodeContainer, headerMisfit, invalidTable } from "./table-container.ts";

const MAGIC = "FORENEXT";

interface Header extends SuccessorShape {
  readonly rows: number;
  readonly entries: number;
}

/** Where the arrays of a body stand; all of them hold numbers of 4 bytes, so that a body has no gaps. */
interface Layout {
  readonly name: keyof SuccessorArrays;
  readonly bytes: number;
}

const layoutOf = ({ rows, entries }: Pick<Header, "rows" | "entries">): readonly Layout[] => [
  { name: "keys", bytes: 8 * rows },
  { name: "starts", bytes: 4 * (rows + 1) },
  { name: "seen", bytes: 4 * rows },
  { name: "ids", bytes: 4 * entries },
  { name: "weights", bytes: 4 * entries },
];

/**
 * Writes a table as bytes, in the container that all tables share (magic `FORENEXT`, header, body, checksum):
 *
 * ```
 *   header    order, vocabularySize (V), owner, rows, entries
 *   body      float64 [rows]      keys of the contexts, ascending: token, or earlier token · V + token
 *             uint32  [rows + 1]  where each row begins
 *             float32 [rows]      how often each context was seen
 *             int32   [entries]   successors, of each row likeliest first
 *             float32 [entries]   their shares
 * ```
 *
 * Numbers are in the byte order of the machine, which is little-endian wherever WebAssembly or Node runs in practice.
 */
export function encodeSuccessors(table: SuccessorTable): Uint8Array<ArrayBuffer> {
  const { order, vocabularySize, owner, arrays, rows } = table;
  const header: Header = { order, vocabularySize, owner, rows, entries: arrays.ids.length };
  const layout = layoutOf(header);
  const body = new Uint8Array(layout.reduce((sum, { bytes }) => sum + bytes, 0));
  let at = 0;
  for (const { name, bytes } of layout) {
    const { buffer, byteOffset } = arrays[name];
    body.set(new Uint8Array(buffer, byteOffset, bytes), at);
    at += bytes;
  }
  return encodeContainer(MAGIC, { header, body });
}

/**
 * Reads what {@link encodeSuccessors} wrote.
 *
 * @param model - The model the table must be right for: of its weights or of its tokenizer, as the table says.
 * @param name - What messages call it, such as its path.
 * @throws `TABLE_INVALID` for another format, version, owner or vocabulary, and for bytes that are cut or changed.
 */
export function decodeSuccessors(bytes: Uint8Array, model: OwningModel, name = "The table"): SuccessorTable {
  const { header, body } = decodeContainer(bytes, MAGIC, name, "table of successors");
  if (!isHeader(header)) throw headerMisfit(name, bytes);
  const layout = layoutOf(header);
  if (layout.reduce((sum, part) => sum + part.bytes, 0) !== body.length) throw headerMisfit(name, bytes);
  checkOwner(header, model, name);
  let at = 0;
  // Copies, so that every array begins at a multiple of its numbers' size; `slice` of Node's Buffer would make none.
  const parts = Object.fromEntries(
    layout.map((part) => {
      const { buffer } = new Uint8Array(body.subarray(at, at + part.bytes));
      at += part.bytes;
      return [part.name, buffer];
    }),
  ) as Record<keyof SuccessorArrays, ArrayBuffer>;
  const arrays: SuccessorArrays = {
    keys: new Float64Array(parts.keys),
    starts: new Uint32Array(parts.starts),
    seen: new Float32Array(parts.seen),
    ids: new Int32Array(parts.ids),
    weights: new Float32Array(parts.weights),
  };
  checkArrays(arrays, header, name);
  return new SuccessorTable(header, arrays);
}

function isHeader(value: unknown): value is Header {
  const { order, vocabularySize, owner, rows, entries } = (value ?? {}) as Header;
  return (
    (order === 1 || order === 2) &&
    (owner?.kind === "model" || owner?.kind === "tokenizer") &&
    typeof owner.hash === "string" &&
    [vocabularySize, rows + 1, entries + 1].every((size) => Number.isSafeInteger(size) && size >= 1)
  );
}

function checkArrays(arrays: SuccessorArrays, header: Header, name: string): void {
  const { keys, starts, seen, ids, weights } = arrays;
  const { order, vocabularySize, entries } = header;
  const contexts = vocabularySize ** order;
  const isInOrder = keys.every(
    (key, row) =>
      Number.isInteger(key) &&
      key > (keys[row - 1] ?? -1) &&
      key < contexts &&
      starts[row + 1]! > starts[row]! &&
      seen[row]! > 0,
  );
  const isSound =
    isInOrder &&
    starts[0] === 0 &&
    starts.at(-1) === entries &&
    ids.every((id) => id >= 0 && id < vocabularySize) &&
    weights.every((weight) => weight > 0 && weight <= 1.001);
  if (!isSound) throw invalidTable(`${name} holds rows that are out of order or outside its vocabulary.`);
}
