import type { OutputRows } from "./backend.ts";

/** Outputs of several runs as one, rows in order; the parts stay with whoever disposes them. */
export function joinRows(parts: readonly { readonly rows: number; readonly part: OutputRows }[]): OutputRows {
  if (parts.length === 1) return parts[0].part;
  const { width, isHost } = parts[0].part;
  return {
    width,
    isHost,
    read: async (first, count) => {
      const joined = new Float32Array(count * width);
      let start = 0;
      for (const { rows, part } of parts) {
        const from = Math.max(first, start);
        const to = Math.min(first + count, start + rows);
        if (from < to) joined.set(await part.read(from - start, to - from), (from - first) * width);
        start += rows;
      }
      return joined;
    },
    dispose: () => {},
  };
}
