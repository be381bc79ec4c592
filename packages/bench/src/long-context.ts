import type { Model } from "@foretoken/core";
import { leastSquares, median } from "./statistics.ts";
import { feed } from "./teacher-forcing.ts";

/** Options of {@link measureLongContext}. */
export interface LongContextOptions {
  readonly model: Model;
  /** Rows in the cache at which a pass is timed, rising; default 128, 512, 1024, 1536, 2048. */
  readonly contexts?: readonly number[];
  /** Rows of a pass; default 1. */
  readonly rows?: number;
  /** Passes timed at each context; the figure is their median. Default 30. */
  readonly repeats?: number;
  readonly signal?: AbortSignal;
}

/** What a pass costs the longer the text is. */
export interface LongContext {
  readonly rows: number;
  readonly points: readonly { readonly context: number; readonly ms: number }[];
  /** Slope of the least-squares line through the points: milliseconds for each 1,000 rows of context. */
  readonly msPerThousandRows: number;
}

/** Times passes at rising lengths of the text. The text is arbitrary: what a row costs does not depend on it. */
export async function measureLongContext(options: LongContextOptions): Promise<LongContext> {
  const { model, contexts = [128, 512, 1024, 1536, 2048], rows = 1, repeats = 30, signal } = options;
  const token = (index: number) => (index * 31 + 7) % model.vocabularySize;
  const session = model.createSession();
  const points: { context: number; ms: number }[] = [];
  try {
    for (const context of contexts.filter((length) => length + rows <= model.contextLength)) {
      signal?.throwIfAborted();
      const from = session.tokens.length;
      await feed(
        session,
        Array.from({ length: context - from }, (_, index) => token(from + index)),
      );
      const times: number[] = [];
      for (let repeat = 0; repeat < repeats; repeat++) {
        const began = performance.now();
        const pass = await session.forward(
          Array.from({ length: rows }, (_, row) => ({ token: token(context + row) })),
          { logits: "all", argmax: true },
        );
        await pass.argmax(rows - 1);
        times.push(performance.now() - began);
        session.discard();
      }
      points.push({ context, ms: median(times) });
    }
  } finally {
    session.dispose();
  }
  const { slope } = leastSquares(
    points.map(({ context }) => context),
    points.map(({ ms }) => ms),
  );
  return { rows, points, msPerThousandRows: slope * 1000 };
}
