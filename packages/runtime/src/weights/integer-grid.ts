/** The values `scale · (level − zero)` for integer levels `0 … top`; they always contain 0. */
export interface IntegerGrid {
  readonly scale: number;
  readonly zero: number;
}

/**
 * The finest grid of levels `0 … top` that covers `[min, max]`, so that rounding to it errs by at most half its scale.
 *
 * A range that does not contain 0 is widened to it.
 */
export function finestGrid(min: number, max: number, top: number): IntegerGrid {
  const below = Math.max(-min, 0);
  const above = Math.max(max, 0);
  if (below + above === 0) return { scale: 0, zero: 0 };
  const ideal = Math.floor((top * below) / (below + above));
  const scaleAt = (zero: number) =>
    Math.max(below > 0 ? below / zero : 0, above > 0 ? above / (top - zero) : 0);
  const lower = scaleAt(ideal);
  const upper = ideal < top ? scaleAt(ideal + 1) : Number.POSITIVE_INFINITY;
  // Rounded as it will be stored, or levels would be chosen for another grid.
  return lower <= upper
    ? { scale: Math.fround(lower), zero: ideal }
    : { scale: Math.fround(upper), zero: ideal + 1 };
}

/** Writes the levels of `grid` nearest to `values[from … to - 1]` into `levels` from `at` on. */
export function writeNearestLevels(
  { scale, zero }: IntegerGrid,
  values: Float32Array,
  from: number,
  to: number,
  top: number,
  levels: Uint8Array,
  at: number,
): void {
  const inverse = scale === 0 ? 0 : 1 / scale;
  for (let i = from; i < to; i++, at++) {
    // Levels are at least 0, where cutting off the fraction is rounding down; `Math.round` is several times slower.
    const level = (values[i] * inverse + zero + 0.5) | 0;
    levels[at] = level < 0 ? 0 : Math.min(level, top);
  }
}

/** Smallest and largest of `values[from … to - 1]`, and 0. */
export function rangeWithZero(values: Float32Array, from: number, to: number): { min: number; max: number } {
  let min = 0;
  let max = 0;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  return { min, max };
}
