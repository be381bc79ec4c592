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

/** The level of `grid` nearest to `value`. */
export function nearestLevel({ scale, zero }: IntegerGrid, value: number, top: number): number {
  if (scale === 0) return zero;
  return Math.min(Math.max(Math.round(value / scale) + zero, 0), top);
}
