import type { DraftWarp } from "./draft-source.ts";
import { DecodingError, hasCode } from "./errors.ts";
import type { LawState, TokenLogProbability } from "./law-state.ts";
import { pointLaw } from "./laws.ts";
import type { LogitsProcessor } from "./logits-processor.ts";
import { asPartFailure } from "./part-failure.ts";
import { argmax, logSumExp } from "./reductions.ts";
import type { SamplingOptions } from "./sampling.ts";
import { checkSampling } from "./sampling-check.ts";
import type { Pass } from "./session.ts";
import type { TokenLaw } from "./token-law.ts";
import type { TokenId } from "./tokens.ts";
import { type Truncation, truncatedLaw } from "./truncation.ts";

/** What the law of a text starts from. */
export interface LawStart {
  readonly vocabularySize: number;
  /** `[P]` */
  readonly promptTokens: readonly TokenId[];
}

/**
 * The law state behind the prompt.
 * @throws `INVALID_OPTION`
 */
export function lawStateFor(options: SamplingOptions, { vocabularySize, promptTokens }: LawStart): LawState {
  checkSampling(options, vocabularySize);
  const pipeline = new Pipeline(options, vocabularySize, promptTokens);
  return new PipelineState(
    pipeline,
    undefined,
    pipeline.processors.map((processor) => guarded(processor, () => processor.init(promptTokens))),
  );
}

/** The output so far, newest first; shared by all states behind it. */
interface History {
  readonly token: TokenId;
  readonly before: History | undefined;
}

/** The options, resolved once for each generation. */
class Pipeline {
  readonly processors: readonly LogitsProcessor[];
  readonly temperature: number;
  readonly hasHistory: boolean;
  readonly changesLogits: boolean;
  readonly vocabularySize: number;
  readonly #truncation: Truncation;
  readonly #bias: readonly (readonly [TokenId, number])[];
  readonly #penalties: { readonly repetition: number; readonly presence: number; readonly frequency: number };
  readonly #prompt: readonly TokenId[];
  readonly #distinctPrompt: ReadonlySet<TokenId>;
  readonly #penalizePrompt: boolean;
  /** Scratch of one row, and of counts by token: all 0 between uses. */
  readonly #logits: Float32Array;
  readonly #counts: Uint32Array;

  constructor(options: SamplingOptions, vocabularySize: number, prompt: readonly TokenId[]) {
    const { temperature = 0, topK = 0, topP = 1, minP = 0, penalizePrompt = false } = options;
    const {
      repetitionPenalty: repetition = 1,
      presencePenalty: presence = 0,
      frequencyPenalty: frequency = 0,
    } = options;
    this.processors = options.processors ?? [];
    this.temperature = temperature;
    this.vocabularySize = vocabularySize;
    this.#truncation = { temperature, topK, topP, minP };
    this.#bias = [
      ...Object.entries(options.bias ?? {}).map(([token, bias]) => [Number(token), bias] as const),
      ...(options.bannedTokens ?? []).map((token) => [token, Number.NEGATIVE_INFINITY] as const),
    ];
    this.#penalties = { repetition, presence, frequency };
    this.#prompt = prompt;
    this.#distinctPrompt = new Set(prompt);
    this.#penalizePrompt = penalizePrompt;
    this.hasHistory = repetition !== 1 || presence !== 0 || frequency !== 0;
    this.changesLogits = this.hasHistory || this.#bias.length > 0 || this.processors.length > 0;
    this.#logits = new Float32Array(this.changesLogits ? vocabularySize : 0);
    this.#counts = new Uint32Array(this.hasHistory ? vocabularySize : 0);
  }

  /** The row after bias, bans, penalties and processors; scratch that the next call overwrites. */
  process(row: Float32Array, history: History | undefined, states: readonly unknown[]): Float32Array {
    if (row.length !== this.vocabularySize) {
      throw new DecodingError("SHAPE_MISMATCH", {
        message: `Got ${row.length} logits for a vocabulary of ${this.vocabularySize} tokens.`,
        fix: "Pass one logit for each token of the target's vocabulary, without padding.",
      });
    }
    if (!this.changesLogits) return row;
    const logits = this.#logits;
    logits.set(row);
    for (const [token, bias] of this.#bias) logits[token]! += bias;
    if (this.hasHistory) this.#penalize(logits, history);
    for (const [index, processor] of this.processors.entries()) {
      guarded(processor, () => processor.apply(states[index], logits));
    }
    return logits;
  }

  /**
   * @param logits - Processed.
   * @throws `EMPTY_LAW`, `INVALID_LOGITS`
   */
  law(logits: Float32Array, warp?: DraftWarp): TokenLaw {
    const mode = argmax(logits);
    const truncation = warp === undefined ? this.#truncation : warped(this.#truncation, warp);
    return truncation.temperature === 0
      ? pointLaw(mode, logits.length)
      : truncatedLaw(logits, mode, truncation);
  }

  /** Repetition counts prompt and output; presence and frequency the output, and the prompt only where asked. */
  #penalize(logits: Float32Array, history: History | undefined): void {
    const { repetition, presence, frequency } = this.#penalties;
    const counts = this.#counts;
    const seen: TokenId[] = [];
    const count = (token: TokenId) => {
      if (counts[token]!++ === 0) seen.push(token);
    };
    const scale = (token: TokenId) => {
      const logit = logits[token]!;
      logits[token] = logit > 0 ? logit / repetition : logit * repetition;
    };
    for (let at = history; at !== undefined; at = at.before) count(at.token);
    if (this.#penalizePrompt) for (const token of this.#prompt) count(token);
    if (repetition !== 1) {
      for (const token of seen) scale(token);
      for (const token of this.#distinctPrompt) if (counts[token] === 0) scale(token);
    }
    for (const token of seen) {
      logits[token]! -= presence + frequency * counts[token]!;
      counts[token] = 0;
    }
  }
}

function warped(target: Truncation, { temperature, greedyTemperature = 0.6, topK }: DraftWarp): Truncation {
  return {
    ...target,
    temperature: temperature ?? (target.temperature || greedyTemperature),
    topK: Math.min(target.topK || Number.POSITIVE_INFINITY, topK || Number.POSITIVE_INFINITY),
  };
}

class PipelineState implements LawState {
  readonly #pipeline: Pipeline;
  readonly #history: History | undefined;
  readonly #states: readonly unknown[];

  constructor(pipeline: Pipeline, history: History | undefined, states: readonly unknown[]) {
    this.#pipeline = pipeline;
    this.#history = history;
    this.#states = states;
  }

  get isPlainGreedy(): boolean {
    return this.#pipeline.temperature === 0 && !this.#pipeline.changesLogits;
  }

  advance(token: TokenId): LawState {
    const { processors, hasHistory } = this.#pipeline;
    if (!hasHistory && processors.length === 0) return this;
    return new PipelineState(
      this.#pipeline,
      { token, before: this.#history },
      processors.map((processor, index) =>
        guarded(processor, () => processor.advance(this.#states[index], token)),
      ),
    );
  }

  async law(pass: Pass, row: number): Promise<TokenLaw> {
    if (this.isPlainGreedy) return pointLaw(await pass.argmax(row), this.#pipeline.vocabularySize);
    const logits = await pass.logits(row);
    try {
      return this.lawOf(logits);
    } catch (error) {
      throw atPosition(error, pass.rows[row].position + 1);
    }
  }

  lawOf(logits: Float32Array, warp?: DraftWarp): TokenLaw {
    return this.#pipeline.law(this.#pipeline.process(logits, this.#history, this.#states), warp);
  }

  async logProbabilities(pass: Pass, row: number, token: TokenId, top: number): Promise<TokenLogProbability> {
    const logits = await pass.logits(row);
    const best = top === 0 ? undefined : await pass.topK(row, top);
    return {
      token,
      raw: logits[token]! - (await pass.logSumExp(row)),
      processed: this.#processed(logits, token),
      top: best
        ? Array.from(best.ids, (id, at) => ({ token: id, logProbability: best.logProbabilities[at]! }))
        : [],
    };
  }

  #processed(row: Float32Array, token: TokenId): number {
    const logits = this.#pipeline.process(row, this.#history, this.#states);
    if (this.#pipeline.temperature === 0) return logits[token]! - logSumExp(logits);
    return this.#pipeline.law(logits).logProbability(token);
  }
}

/** Tells where in the text a law could not be made. */
function atPosition(error: unknown, position: number): unknown {
  if (!hasCode(error, "EMPTY_LAW", "INVALID_LOGITS")) return error;
  const message = `There is no law of the token at position ${position}: ${error.message}`;
  return new DecodingError(error.code, { message, fix: error.fix, cause: error });
}

function guarded<T>(processor: LogitsProcessor, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw asPartFailure(error, "Processor", processor.name);
  }
}
