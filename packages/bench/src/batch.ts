import {
  type Decoder,
  DecodingError,
  type Generation,
  generate,
  type Model,
  type SamplingOptions,
  stream,
} from "@foretoken/core";
import type { BenchPrompt } from "./prompts.ts";
import { median } from "./statistics.ts";

/** Options of {@link measureBatch}. */
export interface BatchOptions {
  readonly model: Model;
  readonly decoder: Decoder;
  /** Answered at once, at least 2. */
  readonly prompts: readonly BenchPrompt[];
  /** Tokens of an answer, at most; default 128. */
  readonly maxTokens?: number;
  readonly sampling?: SamplingOptions;
  /** Default 0. */
  readonly seed?: number;
  /** Times that everything is answered; figures are medians. Default 1. */
  readonly repeats?: number;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly signal?: AbortSignal;
}

/** What answering at once gives. */
export interface Batch {
  readonly prompts: number;
  /** Of all answers together, prompts included in the time. */
  readonly tokensPerSecondAtOnce: number;
  readonly tokensPerSecondOneByOne: number;
  /** How many answers have the same tokens at once as one by one. */
  readonly same: number;
  /** The same where the second half came later, when the first had written some tokens. */
  readonly sameWhenJoining: number;
}

/** Tokens after which the second half of the prompts joins. */
const JOIN_AFTER = 8;

/**
 * Answers prompts one by one, all at once, and with half of them joining while the others run. Passes of answers that run at
 * once are fused by the model; nothing but timing tells the three apart.
 *
 * @throws `INVALID_OPTION` for fewer than two prompts, what decoding throws, and the signal's reason.
 */
export async function measureBatch(options: BatchOptions): Promise<Batch> {
  const { prompts, repeats = 1, onProgress, signal } = options;
  if (prompts.length < 2) {
    throw new DecodingError("INVALID_OPTION", {
      message: `${prompts.length === 1 ? "One prompt is" : "No prompts are"} no batch.`,
      fix: "Pass at least two prompts.",
    });
  }
  const total = 3 * repeats;
  const oneByOneMs: number[] = [];
  const atOnceMs: number[] = [];
  let alone: readonly Generation[] = [];
  let together: readonly Generation[] = [];
  let joining: readonly Generation[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    onProgress?.({ done: 3 * repeat, total });
    let began = performance.now();
    alone = await oneByOne(options);
    oneByOneMs.push(performance.now() - began);
    signal?.throwIfAborted();
    onProgress?.({ done: 3 * repeat + 1, total });
    began = performance.now();
    together = await Promise.all(prompts.map((prompt) => answer(options, prompt)));
    atOnceMs.push(performance.now() - began);
    signal?.throwIfAborted();
    onProgress?.({ done: 3 * repeat + 2, total });
    joining = await joiningLate(options);
    signal?.throwIfAborted();
  }
  const tokens = (answers: readonly Generation[]) => answers.reduce((sum, one) => sum + one.tokens.length, 0);
  const same = (answers: readonly Generation[]) =>
    answers.filter((one, index) => one.tokens.join() === alone[index]!.tokens.join()).length;
  return {
    prompts: prompts.length,
    tokensPerSecondAtOnce: (1000 * tokens(together)) / median(atOnceMs),
    tokensPerSecondOneByOne: (1000 * tokens(alone)) / median(oneByOneMs),
    same: same(together),
    sameWhenJoining: same(joining),
  };
}

async function oneByOne(options: BatchOptions): Promise<readonly Generation[]> {
  const answers: Generation[] = [];
  for (const prompt of options.prompts) {
    options.signal?.throwIfAborted();
    answers.push(await answer(options, prompt));
  }
  return answers;
}

function answer(options: BatchOptions, prompt: BenchPrompt): Promise<Generation> {
  return generate(options.model, requestOf(options, prompt));
}

async function joiningLate(options: BatchOptions): Promise<readonly Generation[]> {
  const [first, ...others] = options.prompts;
  const half = Math.floor(options.prompts.length / 2);
  const askAll = (prompts: readonly BenchPrompt[]) => {
    const answers = Promise.all(prompts.map((prompt) => answer(options, prompt)));
    // Awaited at the end; until then nobody else would hear of a failure.
    answers.catch(() => {});
    return answers;
  };
  const early = askAll(others.slice(0, half - 1));
  const running = stream(options.model, requestOf(options, first!));
  let late: Promise<readonly Generation[]> | undefined;
  let written = 0;
  for await (const { tokens } of running) {
    written += tokens.length;
    if (written >= JOIN_AFTER) late ??= askAll(others.slice(half - 1));
  }
  late ??= askAll(others.slice(half - 1));
  return [await running.result, ...(await early), ...(await late)];
}

function requestOf(
  { decoder, maxTokens = 128, sampling, seed = 0, signal }: BatchOptions,
  { text }: BenchPrompt,
) {
  return {
    ...sampling,
    messages: [{ role: "user" as const, content: text }],
    decoder,
    maxTokens,
    seed,
    signal,
  };
}
