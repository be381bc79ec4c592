import type { CostCurve } from "@foretoken/core";

/** Milliseconds of passes on a grid of rows and context lengths. */
export interface CostTable {
  /** Rows of a pass, ascending. */
  readonly rows: readonly number[];
  /** Rows in the cache, ascending. */
  readonly contexts: readonly number[];
  /** `[contexts][rows]` */
  readonly ms: readonly (readonly number[])[];
}

/**
 * `blocks` and `float` were measured with SmolLM2-135M on two cores with AVX-512 VNNI; ratios carry over to machines of
 * the same kind, absolute times do not. `gpu` was not measured: up to 3 rows ONNX Runtime's kernels read the weights for
 * each row, from 4 on for tiles of 16, and short passes are bound by launching kernels. `calibrate()` replaces all.
 */
const ASSUMED: Readonly<Record<"float" | "blocks" | "gpu", CostTable>> = {
  gpu: {
    rows: [1, 3, 4, 16, 17, 32, 33, 64],
    contexts: [128, 2048],
    ms: [
      [8, 9, 10, 10, 11, 11, 12, 13],
      [9, 10, 11, 11, 12, 13, 14, 16],
    ],
  },
  blocks: {
    rows: [1, 2, 4, 8, 16, 32],
    contexts: [128, 1024, 2048],
    ms: [
      [5.2, 6.2, 8.4, 12.6, 18, 29],
      [8.2, 9.8, 13, 17.8, 25, 38],
      [11.1, 12.8, 16.1, 22.6, 32, 48],
    ],
  },
  float: {
    rows: [1, 2, 4, 8, 16, 32],
    contexts: [128, 1024, 2048],
    ms: [
      [13.5, 16.2, 21.6, 29.7, 40.5, 59.4],
      [16.5, 19.8, 26.2, 35, 47.5, 68],
      [19.4, 22.8, 29.3, 40, 54.5, 78],
    ],
  },
};

/** The curve before anything was measured. */
export function assumedCost(device: string, dtype: string): CostCurve {
  if (device === "webgpu") return costCurve(ASSUMED.gpu, false);
  return costCurve(dtype === "fp32" ? ASSUMED.float : ASSUMED.blocks, false);
}

/** Whether something read from a file is a table. */
export function isCostTable(value: unknown): value is CostTable {
  const { rows, contexts, ms } = (value ?? {}) as Partial<CostTable>;
  const areNumbers = (list: unknown, length?: number) =>
    Array.isArray(list) &&
    list.length === (length ?? list.length) &&
    list.length > 0 &&
    list.every(Number.isFinite);
  if (!areNumbers(rows) || !areNumbers(contexts) || !Array.isArray(ms)) return false;
  return ms.length === contexts!.length && ms.every((line) => areNumbers(line, rows!.length));
}

/** Interpolates a table linearly, and goes on straight beyond its ends. */
export function costCurve(table: CostTable, isMeasured: boolean): CostCurve {
  return {
    isMeasured,
    ms: (rows, context) => {
      const perContext = table.ms.map((line) => interpolate(table.rows, line, rows));
      return interpolate(table.contexts, perContext, context);
    },
  };
}

/** The table with ms that never fall with more rows or more context, which only noise can make them do. */
export function monotone({ rows, contexts, ms }: CostTable): CostTable {
  const smooth = ms.map((line) => [...line]);
  for (let c = 0; c < contexts.length; c++) {
    for (let r = 0; r < rows.length; r++) {
      smooth[c][r] = Math.max(smooth[c][r], smooth[c][r - 1] ?? 0, smooth[c - 1]?.[r] ?? 0);
    }
  }
  return { rows, contexts, ms: smooth };
}

function interpolate(xs: readonly number[], ys: readonly number[], x: number): number {
  if (xs.length === 1) return ys[0];
  let right = xs.findIndex((value) => value >= x);
  if (right < 0) right = xs.length - 1;
  right = Math.max(1, right);
  const share = (x - xs[right - 1]) / (xs[right] - xs[right - 1]);
  return Math.max(0, ys[right - 1] + share * (ys[right] - ys[right - 1]));
}
