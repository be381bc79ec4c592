import { dequantizeInto } from "./dequantize.ts";
import type { StoredTensor } from "./model-weights.ts";
import { storedBytes } from "./stored-formats.ts";

/**
 * The embedding as stored, looked up a row at a time.
 *
 * The graph takes `inputs_embeds`, so that injected embeddings need no second path; a table of float32 inside
 * the graph would be four times as large as the stored bytes (113 MB against 30 MB for SmolLM2-135M).
 */
export interface EmbeddingTable {
  readonly rows: number;
  readonly width: number;
  /**
   * Writes the embedding of `token`, float32 `[width]`, into `into` from `offset` on.
   *
   * @param token - `0 <= token < rows`; checked by the caller.
   */
  row(token: number, into: Float32Array, offset: number): void;
}

/** One table for each tensor: draft heads look up in their target's. */
const tables = new WeakMap<StoredTensor, Promise<EmbeddingTable>>();

/** Reads the embedding tensor `[rows, width]` and keeps its stored bytes. */
export function openEmbedding(tensor: StoredTensor): Promise<EmbeddingTable> {
  const table = tables.get(tensor) ?? readTable(tensor);
  tables.set(tensor, table);
  table.catch(() => tables.delete(tensor));
  return table;
}

async function readTable(tensor: StoredTensor): Promise<EmbeddingTable> {
  const [rows, width] = tensor.shape;
  const rowBytes = storedBytes(tensor.type, width);
  const bytes = await tensor.read();
  return {
    rows,
    width,
    row: (token, into, offset) => dequantizeInto(tensor.type, bytes, token * rowBytes, width, into, offset),
  };
}
