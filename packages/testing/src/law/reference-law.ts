import type { SamplingOptions, TokenId } from "@foretoken/core";

/** What stands before the token whose law is asked for. */
export interface Path {
  readonly prompt: readonly TokenId[];
  readonly output: readonly TokenId[];
}

/**
 * The law of the next token, straight from the words of {@link SamplingOptions} and independent of core's own code: slow,
 * plain, in float64.
 *
 * @param logits - The model's raw logits `[V]`.
 * @returns Probabilities `[V]`; all 0 when nothing is left.
 */
export function referenceLaw(logits: ArrayLike<number>, options: SamplingOptions, path: Path): number[] {
  const scores = processed(logits, options, path);
  const { temperature = 0, topK = 0, topP = 1, minP = 0 } = options;
  const order = scores
    .map((_, token) => token)
    .filter((token) => scores[token]! > Number.NEGATIVE_INFINITY)
    .sort((a, b) => scores[b]! - scores[a]! || a - b);
  const law = scores.map(() => 0);
  if (order.length === 0) return law;
  if (temperature === 0) {
    law[order[0]!] = 1;
    return law;
  }
  const best = scores[order[0]!]!;
  let kept = order.map((token) => ({ token, mass: Math.exp((scores[token]! - best) / temperature) }));
  if (topK > 0) kept = kept.slice(0, topK);
  if (topP < 1) {
    let missing = topP * sum(kept.map(({ mass }) => mass));
    kept = kept.filter(({ mass }, rank) => {
      const isNeeded = rank === 0 || missing > 0;
      missing -= mass;
      return isNeeded;
    });
  }
  kept = kept.filter(({ mass }) => mass >= minP * kept[0]!.mass);
  const total = sum(kept.map(({ mass }) => mass));
  for (const { token, mass } of kept) law[token] = mass / total;
  return law;
}

/** Bias, bans, penalties and processors, in this order. */
function processed(logits: ArrayLike<number>, options: SamplingOptions, { prompt, output }: Path): number[] {
  const {
    repetitionPenalty = 1,
    presencePenalty = 0,
    frequencyPenalty = 0,
    penalizePrompt = false,
  } = options;
  const scores = Array.from(logits);
  for (const [token, bias] of Object.entries(options.bias ?? {})) scores[Number(token)]! += bias;
  for (const token of options.bannedTokens ?? []) scores[token] = Number.NEGATIVE_INFINITY;

  const repeated = new Set([...prompt, ...output]);
  const counted = penalizePrompt ? [...prompt, ...output] : output;
  for (const [token, score] of scores.entries()) {
    let penalised = score;
    if (repeated.has(token)) penalised = score > 0 ? score / repetitionPenalty : score * repetitionPenalty;
    const count = counted.filter((other) => other === token).length;
    if (count > 0) penalised -= presencePenalty + frequencyPenalty * count;
    scores[token] = penalised;
  }

  if (!options.processors?.length) return scores;
  const row = Float32Array.from(scores);
  for (const processor of options.processors) {
    const state = output.reduce<unknown>((at, token) => processor.advance(at, token), processor.init(prompt));
    processor.apply(state, row);
  }
  return Array.from(row);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
