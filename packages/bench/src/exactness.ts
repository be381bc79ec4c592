import {
  type Generation,
  generate,
  type Model,
  plain,
  type SamplingOptions,
  type TokenId,
} from "@foretoken/core";
import type { BenchDecoder } from "./decoder-contestant.ts";
import { paddedPlain } from "./padded-plain.ts";
import type { BenchPrompt } from "./prompts.ts";

/** Options of {@link checkExactness}. */
export interface ExactnessOptions {
  readonly model: Model;
  readonly decoders: readonly BenchDecoder[];
  readonly prompts: readonly BenchPrompt[];
  /** Default 128. */
  readonly maxTokens?: number;
  /** Default: greedy. */
  readonly sampling?: SamplingOptions;
  /** Default 0. */
  readonly seed?: number;
  /**
   * A text may part from plain's where plain's two best logits lie within this; default 1e-3, right for fp32. For dtypes
   * with rounded activations pass what `measureNoise` gives.
   */
  readonly tolerance?: number;
  /** Also count how often plain parts from itself in passes as large as each decoder's; default `false`. */
  readonly padded?: boolean;
  readonly onProgress?: (progress: {
    readonly decoder: string;
    readonly done: number;
    readonly total: number;
  }) => void;
  readonly signal?: AbortSignal;
}

/** A place where a decoder's text parts from plain's. */
export interface Parting {
  readonly prompt: string;
  readonly group: string;
  /** Index in the answer. */
  readonly index: number;
  /** Plain's token there, and the decoder's; `undefined` behind an end. */
  readonly plain: TokenId | undefined;
  readonly other: TokenId | undefined;
  /** Difference of plain's two best logits there; 0 behind an end. */
  readonly gap: number;
  /** Whether the gap is above the tolerance: then it is an error of decoding, not of rounding. */
  readonly counts: boolean;
}

/** How a decoder's texts compare with plain's. */
export interface Exactness {
  readonly decoder: string;
  readonly prompts: number;
  /** Share of prompts with plain's tokens. */
  readonly identical: number;
  /** First places of the texts that differ. */
  readonly partings: readonly Parting[];
  /** Partings that count. */
  readonly errors: number;
  /** Rows of the decoder's average pass, rounded. */
  readonly rowsPerPass: number;
  /** Share of prompts on which plain in passes of so many rows gives its own tokens; with `padded`. */
  readonly paddedIdentical?: number;
}

/** Compares decoders' tokens with plain decoding's, seed by seed. */
export async function checkExactness(options: ExactnessOptions): Promise<readonly Exactness[]> {
  const { model, decoders, prompts, tolerance = 1e-3, sampling, seed = 0, maxTokens = 128 } = options;
  const answerAll = async (name: string, decoder: BenchDecoder["decoder"], logProbabilities?: number) => {
    const answers: Generation[] = [];
    for (const { text } of prompts) {
      options.signal?.throwIfAborted();
      options.onProgress?.({ decoder: name, done: answers.length, total: prompts.length });
      const messages = [{ role: "user", content: text }];
      const { signal } = options;
      answers.push(
        await generate(model, { ...sampling, messages, decoder, maxTokens, seed, logProbabilities, signal }),
      );
    }
    options.signal?.throwIfAborted();
    return answers;
  };
  const reference = await answerAll("plain", plain(), 2);
  const partingsOf = (answers: readonly Generation[]) =>
    answers.flatMap(
      (answer, index) => partingOf(prompts[index]!, reference[index]!, answer, tolerance) ?? [],
    );
  const identicalOf = (partings: readonly Parting[]) => 1 - partings.length / prompts.length;

  const padded = new Map<number, number>();
  const results: Exactness[] = [];
  for (const { name, decoder } of decoders) {
    const answers = await answerAll(name, decoder);
    const partings = partingsOf(answers);
    const passes = answers.reduce((sum, { report }) => sum + report.targetPasses, 0);
    const rows = answers.reduce((sum, { report }) => sum + report.rows, 0);
    const rowsPerPass = Math.max(1, Math.round(rows / Math.max(1, passes)));
    const paddedRows = Math.max(2, rowsPerPass);
    if (options.padded && !padded.has(paddedRows)) {
      const decoder = paddedPlain(paddedRows);
      padded.set(paddedRows, identicalOf(partingsOf(await answerAll(decoder.name, decoder))));
    }
    results.push({
      decoder: name,
      prompts: prompts.length,
      identical: identicalOf(partings),
      partings,
      errors: partings.filter(({ counts }) => counts).length,
      rowsPerPass,
      paddedIdentical: padded.get(paddedRows),
    });
  }
  return results;
}

/** @returns The first place where two answers differ, `undefined` when they are equal. */
function partingOf(
  { id, group }: BenchPrompt,
  reference: Generation,
  answer: Generation,
  tolerance: number,
): Parting | undefined {
  const length = Math.max(reference.tokens.length, answer.tokens.length);
  for (let index = 0; index < length; index++) {
    const plain = reference.tokens[index];
    const other = answer.tokens[index];
    if (plain === other) continue;
    const top = reference.logProbabilities?.[index]?.top;
    const gap = top?.[1] === undefined ? 0 : top[0]!.logProbability - top[1].logProbability;
    // Behind the end of one answer there is no near-tie that could excuse the other.
    const counts = plain === undefined || other === undefined || gap > tolerance;
    return { prompt: id, group, index, plain, other, gap, counts };
  }
  return undefined;
}
