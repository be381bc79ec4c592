import { generate, type Model, plain, type TokenId } from "@foretoken/core";
import type { BenchPrompt } from "./prompts.ts";
import { quantile } from "./statistics.ts";
import { force } from "./teacher-forcing.ts";

/** Options of {@link measureNoise}. */
export interface NoiseOptions {
  readonly model: Model;
  readonly prompts: readonly BenchPrompt[];
  /** `T`: rows of the passes that are compared with passes of one row; default 8. */
  readonly rows?: number;
  /** Rows to compare, at least; fewer when the prompts' answers hold fewer. Default 2,000. */
  readonly samples?: number;
  /** Tokens of an answer; default 128. */
  readonly maxTokens?: number;
  readonly signal?: AbortSignal;
}

/** How much the size of a pass changes its rows. */
export interface Noise {
  readonly rows: number;
  readonly samples: number;
  /** 99th percentile of the change of the gap, in logits: what a text may part by. */
  readonly noise: number;
  readonly median: number;
  readonly largest: number;
  /** Share of rows whose most probable token changed. */
  readonly argmaxChanges: number;
}

/**
 * Measures the numerical noise of a model and dtype: how much the gap between a row's two best logits changes when the
 * row is computed together with others, over teacher-forced plain answers. With exact arithmetic it is 0; with
 * activations rounded to 8 bits it is a good part of a logit, and texts may part where the gap is smaller.
 */
export async function measureNoise(options: NoiseOptions): Promise<Noise> {
  const { model, prompts, rows = 8, samples = 2000, maxTokens = 128, signal } = options;
  const changes: number[] = [];
  let argmaxChanges = 0;
  for (const { text } of prompts) {
    if (changes.length >= samples) break;
    signal?.throwIfAborted();
    const messages = [{ role: "user", content: text }];
    const prompt = model.tokenizer!.renderChat(messages).tokens;
    const { tokens } = await generate(model, { prompt, decoder: plain(), maxTokens, signal });
    const alone = await topTwo(model, prompt, tokens);
    await force(model, prompt, tokens, rows, async (pass, row, index) => {
      const [best, second, gap] = alone[index]!;
      const logits = await pass.logits(row);
      changes.push(Math.abs(logits[best]! - logits[second]! - gap));
      if ((await pass.argmax(row)) !== best) argmaxChanges++;
    });
  }
  return {
    rows,
    samples: changes.length,
    noise: quantile(changes, 0.99),
    median: quantile(changes, 0.5),
    largest: quantile(changes, 1),
    argmaxChanges: argmaxChanges / changes.length,
  };
}

/** The two best tokens of every row, computed one row a pass, and the gap between their logits. */
async function topTwo(
  model: Model,
  prompt: readonly TokenId[],
  answer: readonly TokenId[],
): Promise<readonly (readonly [best: TokenId, second: TokenId, gap: number])[]> {
  const gaps: [TokenId, TokenId, number][] = [];
  await force(model, prompt, answer, 1, async (pass, row) => {
    const { ids, logProbabilities } = await pass.topK(row, 2);
    gaps.push([ids[0]!, ids[1]!, logProbabilities[0]! - logProbabilities[1]!]);
  });
  return gaps;
}
