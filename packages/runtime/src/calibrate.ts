import type { Session } from "@foretoken/core";
import { type CostTable, monotone } from "./cost-curve.ts";

/** Rows of the passes to time. */
export const CPU_ROWS: readonly number[] = [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32];
/** On a GPU cost is a staircase: both sides of where kernels change, or begin another tile of 16 rows. */
export const GPU_ROWS: readonly number[] = [1, 2, 3, 4, 8, 16, 17, 32, 33, 48, 64];

const CONTEXTS = [32, 512, 1024];
const REPEATS = 5;
const PREFILL_ROWS = 128;

/**
 * Measures what passes cost on this machine, as medians; takes a few seconds, in which nothing else should run.
 *
 * @param session - Empty; disposed by the caller.
 * @param sizes - Rows of the passes, ascending.
 * @throws `ABORTED`, and what `forward` throws
 */
export async function measureCost(
  session: Session,
  sizes: readonly number[],
  signal?: AbortSignal,
): Promise<CostTable> {
  const { contextLength, vocabularySize } = session.model;
  const most = sizes[sizes.length - 1];
  const contexts = CONTEXTS.filter((context) => context + most <= contextLength);
  const rowsOf = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ token: (i * 7919 + 13) % vocabularySize }));
  const ms: number[][] = [];
  for (const context of contexts) {
    while (session.tokens.length < context) {
      const rows = rowsOf(Math.min(PREFILL_ROWS, context - session.tokens.length));
      session.commit((await session.forward(rows, { signal })).rows);
    }
    const times: number[][] = sizes.map(() => []);
    // Sizes take turns, so that a disturbance does not hit all the repeats of one.
    for (let repeat = 0; repeat <= REPEATS; repeat++) {
      for (const [index, count] of sizes.entries()) {
        const pass = await session.forward(rowsOf(count), { logits: "all", signal });
        session.discard();
        if (repeat > 0) times[index].push(pass.elapsedMs);
      }
    }
    ms.push(times.map((list) => list.sort((a, b) => a - b)[Math.floor(REPEATS / 2)]));
  }
  return monotone({ rows: sizes, contexts, ms });
}
