import { generate, type Model, plain } from "@foretoken/core";
import type { BenchPrompt } from "./prompts.ts";
import { mean, quantile } from "./statistics.ts";
import { force } from "./teacher-forcing.ts";

/** Options of {@link measureFidelity}. */
export interface FidelityOptions {
  /** The same weights in a dtype to trust, such as `fp32`: its answers are forced on both. */
  readonly reference: Model;
  readonly model: Model;
  readonly prompts: readonly BenchPrompt[];
  /** Answer tokens to compare, at least; fewer when the prompts' answers hold fewer. Default 1,000. */
  readonly samples?: number;
  /** Tokens of an answer; default 128. */
  readonly maxTokens?: number;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
}

/** How far one model's laws are from another's. */
export interface Fidelity {
  readonly samples: number;
  /** Mean of KL(reference ‖ model) in nats. */
  readonly meanKl: number;
  readonly p99Kl: number;
  /** Share of rows with the same most probable token. */
  readonly sameTop1: number;
}

/** Compares the laws of a model with those of a reference, teacher-forced on the reference's own greedy answers. */
export async function measureFidelity(options: FidelityOptions): Promise<Fidelity> {
  const { reference, model, prompts, samples = 1000, maxTokens = 128, onProgress, signal } = options;
  const divergences: number[] = [];
  let same = 0;
  for (const { text } of prompts) {
    if (divergences.length >= samples) break;
    signal?.throwIfAborted();
    onProgress?.({ done: divergences.length, total: samples });
    const prompt = reference.tokenizer!.renderChat([{ role: "user", content: text }]).tokens;
    const { tokens } = await generate(reference, { prompt, decoder: plain(), maxTokens, signal });
    const laws: Float32Array[] = [];
    await force(reference, prompt, tokens, 8, async (pass, row) => {
      laws.push(Float32Array.from(await pass.logits(row)));
    });
    // One row a pass, as decoding runs it.
    await force(model, prompt, tokens, 1, async (pass, row, index) => {
      const { divergence, isSameTop } = compare(laws[index]!, await pass.logits(row));
      divergences.push(divergence);
      if (isSameTop) same++;
    });
  }
  return {
    samples: divergences.length,
    meanKl: mean(divergences),
    p99Kl: quantile(divergences, 0.99),
    sameTop1: same / divergences.length,
  };
}

/**
 * KL divergence in nats of the softmax of `model` from the softmax of `reference`, and whether both have one argmax.
 * @param reference - Logits `[V]`.
 * @param model - Logits `[V]`.
 */
export function compare(
  reference: Float32Array,
  model: Float32Array,
): { readonly divergence: number; readonly isSameTop: boolean } {
  const p = normalise(reference);
  const q = normalise(model);
  let divergence = 0;
  for (let token = 0; token < reference.length; token++) {
    const logP = reference[token]! - p.logSumExp;
    divergence += Math.exp(logP) * (logP - (model[token]! - q.logSumExp));
  }
  return { divergence: Math.max(0, divergence), isSameTop: p.argmax === q.argmax };
}

function normalise(logits: Float32Array): { readonly logSumExp: number; readonly argmax: number } {
  let argmax = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token]! > logits[argmax]!) argmax = token;
  const largest = logits[argmax]!;
  let sum = 0;
  for (let token = 0; token < logits.length; token++) sum += Math.exp(logits[token]! - largest);
  return { logSumExp: largest + Math.log(sum), argmax };
}
