/**
 * Turns rows from the *adjacent* rotary order (dimension `2i` pairs with `2i + 1`), in which llama files store query
 * and key, into the *half-split* order (`i` pairs with `i + headSize / 2`).
 *
 * A head of four rows: `0 1 2 3` (pairs 0-1 and 2-3) becomes `0 2 1 3`. Rows are whole blocks, so this moves quantised
 * rows as they are.
 *
 * @param bytes - Rows `[heads · headSize]` of equal length in bytes.
 * @see `LlamaModel.permute` of llama.cpp's convert_hf_to_gguf.py, which this inverts.
 */
export function halfSplitRows(bytes: Uint8Array, headSize: number, rowBytes: number): Uint8Array {
  const half = headSize / 2;
  const rows = bytes.length / rowBytes;
  const ordered = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++) {
    const within = row % headSize;
    const from = row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
    ordered.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes);
  }
  return ordered;
}
