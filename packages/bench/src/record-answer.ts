import { generate, type Model, type SamplingOptions, type TokenId } from "@foretoken/core";
import type { RecordedAnswer } from "./recorded-answer.ts";

/** Options of {@link recordAnswer}. */
export interface RecordOptions {
  /** `[P]` */
  readonly prompt: readonly TokenId[];
  readonly group: string;
  /** Default 160. */
  readonly maxTokens?: number;
  /** Default greedy. */
  readonly sampling?: SamplingOptions;
  readonly seed?: number;
  /** Candidates kept behind each token; 0 leaves them out. Default 8. */
  readonly topK?: number;
}

/** Rows of one pass. */
const CHUNK = 128;

/** Lets a model answer by plain decoding, and keeps what {@link replay} needs to write the answer again. */
export async function recordAnswer(
  model: Model,
  { prompt, group, maxTokens = 160, sampling, seed = 0, topK = 8 }: RecordOptions,
): Promise<RecordedAnswer> {
  const { tokens } = await generate(model, { ...sampling, prompt, maxTokens, seed });
  const recorded = { group, prompt, answer: tokens };
  if (topK === 0) return recorded;
  return { ...recorded, ...(await candidates(model, [...prompt, ...tokens], topK)) };
}

async function candidates(
  model: Model,
  text: readonly TokenId[],
  count: number,
): Promise<Pick<Required<RecordedAnswer>, "topK" | "topLogProbabilities">> {
  await model.prepare({ topK: count });
  const session = model.createSession();
  const topK: TokenId[][] = [];
  const topLogProbabilities: number[][] = [];
  try {
    // The last token of a text that fills the context has no row.
    const fed = text.slice(0, -1);
    for (let at = 0; at < fed.length; at += CHUNK) {
      const chunk = fed.slice(at, at + CHUNK);
      const pass = await session.forward(
        chunk.map((token) => ({ token })),
        { logits: "all", topK: count },
      );
      for (const row of chunk.keys()) {
        const { ids, logProbabilities } = await pass.topK(row, count);
        topK.push([...ids]);
        topLogProbabilities.push([...logProbabilities].map((value) => Math.round(value * 1000) / 1000));
      }
      session.commit(pass.rows);
    }
  } finally {
    session.dispose();
  }
  return { topK, topLogProbabilities };
}
