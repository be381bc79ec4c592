import type { OutputRows } from "./backend.ts";

/** Rows that lie in the memory of JavaScript. */
export function hostRows(values: Float32Array, width: number): OutputRows {
  return {
    width,
    isHost: true,
    read: (first, count) => values.subarray(first * width, (first + count) * width),
    dispose: () => {},
  };
}
