/**
 * The value below which a share `q` of the values lies, by linear interpolation; `NaN` of nothing.
 * @param q - In [0, 1].
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  const above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}

/** The middle value; `NaN` of nothing. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The arithmetic mean; `NaN` of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The geometric mean of positive values; `NaN` of nothing. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(mean(values.map(Math.log)));
}

/** Slope and intercept of the least-squares line through points. */
export function leastSquares(
  x: readonly number[],
  y: readonly number[],
): { slope: number; intercept: number } {
  const middleX = mean(x);
  const middleY = mean(y);
  const covariance = x.reduce((sum, value, i) => sum + (value - middleX) * (y[i]! - middleY), 0);
  const variance = x.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
  const slope = covariance / variance;
  return { slope, intercept: middleY - slope * middleX };
}
