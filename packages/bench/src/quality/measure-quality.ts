import {
  type Decoder,
  DecodingError,
  type FinishReason,
  generate,
  type Model,
  plain,
  type SamplingOptions,
} from "@foretoken/core";
import type { BenchDecoder } from "../decoder-contestant.ts";
import { PartialResults } from "../partial-results.ts";
import { type QualityRow, summarizeQuality } from "./summarize-quality.ts";
import type { QualityTask } from "./task.ts";

/** A decoder whose answers are scored. */
export interface QualityDecoder extends BenchDecoder {
  /** What it counted since this was last called, such as overrides or layers run; read after every answer. */
  readonly counts?: () => Readonly<Record<string, number>>;
}

/** One answer: how right it was, and what it cost. */
export interface QualityMeasurement {
  readonly decoder: string;
  readonly task: string;
  readonly group: string;
  readonly seed: number;
  /** In [0, 1]. */
  readonly score: number;
  readonly answer: string;
  readonly finish: FinishReason;
  /** Tokens of the answer. */
  readonly tokens: number;
  readonly targetPasses: number;
  /** Tokens computed by the target behind the prompt: rows of all its passes, those that were thrown away too. */
  readonly rows: number;
  readonly drafted: number;
  readonly accepted: number;
  readonly counts?: Readonly<Record<string, number>>;
}

/** How far a run is. */
export interface QualityProgress {
  readonly done: number;
  readonly total: number;
  readonly decoder: string;
  readonly task: QualityTask;
}

/** Options of {@link measureQuality}. */
export interface QualityOptions {
  readonly model: Model;
  /** Compared with {@link plain}, which answers too and is named `plain`. */
  readonly decoders: readonly QualityDecoder[];
  readonly tasks: readonly QualityTask[];
  /**
   * Every task is answered once with each; default `[0]`. More than one is for sampling. Tasks draw independent numbers, and all
   * decoders the same ones on one task.
   */
  readonly seeds?: readonly number[];
  /** Default: greedy. */
  readonly sampling?: SamplingOptions;
  /** Tokens of each answer, at most; default 64. */
  readonly maxTokens?: number;
  /**
   * A file to keep measurements in while the run goes on; a run with the same `identity`, decoders, tasks and options goes
   * on where the file ends.
   */
  readonly resume?: string;
  /** What else must be the same for `resume`: model, dtype, sampling. */
  readonly identity?: unknown;
  readonly onProgress?: (progress: QualityProgress) => void;
  readonly signal?: AbortSignal;
}

/** Everything a run gave. */
export interface QualityResult {
  readonly decoders: readonly QualityContestant[];
  readonly maxTokens: number;
  readonly seeds: readonly number[];
  readonly summary: readonly QualityRow[];
  readonly measurements: readonly QualityMeasurement[];
}

/** What identifies a decoder in the results. */
export interface QualityContestant {
  readonly name: string;
  /** Its JSON form, where it has one. */
  readonly decoder: unknown;
  readonly guarantee: string;
}

/** Random numbers are keyed by seed and position: with one seed, tasks of equal length would all draw the same, and intervals lie. */
const SEED_STRIDE = 1_000_003;

const REFERENCE: QualityDecoder = { name: "plain", decoder: plain() };

/**
 * Lets decoders answer the same tasks with the same seeds and scores the answers, plain decoding first: what a decoder that
 * alters the text costs in quality, and what it saves. Nothing is timed.
 *
 * @throws `INVALID_OPTION` for repeated names or ids, nothing to measure, or `resume` with a file of another run; what decoding
 * throws, and the signal's reason.
 */
export async function measureQuality(options: QualityOptions): Promise<QualityResult> {
  const { model, tasks, seeds = [0], maxTokens = 64, onProgress, signal } = options;
  const decoders = [REFERENCE, ...options.decoders];
  checkNames(
    "decoders",
    "name",
    decoders.map(({ name }) => name),
  );
  checkNames(
    "tasks",
    "id",
    tasks.map(({ id }) => id),
  );
  const about = decoders.map(({ name, decoder, json }) => ({
    name,
    decoder: json ?? name,
    guarantee: decoder.guarantee().level,
  }));
  const results = await PartialResults.open<QualityMeasurement>(options.resume, {
    decoders: about,
    tasks: tasks.map(({ id, group, messages }) => [group, id, messages]),
    maxTokens,
    seeds,
    identity: options.identity,
  });

  const rounds = seeds.flatMap((seed) => tasks.map((task, index) => ({ task, seed, index })));
  const waiting = rounds.filter(
    ({ task, seed }) => !results.has((one) => one.task === task.id && one.seed === seed),
  );
  const total = rounds.length * decoders.length;
  let done = total - waiting.length * decoders.length;
  for (const { task, seed, index } of waiting) {
    const round: QualityMeasurement[] = [];
    for (const { name, decoder, counts } of decoders) {
      signal?.throwIfAborted();
      onProgress?.({ done, total, decoder: name, task });
      const drawn = seed + index * SEED_STRIDE;
      const answer = await scoredAnswer(model, task, decoder, { ...options, maxTokens, seed: drawn });
      round.push({ decoder: name, seed, ...answer, counts: counts?.() });
      done++;
    }
    await results.add(round);
  }
  const { measurements } = results;
  return {
    decoders: about,
    maxTokens,
    seeds,
    summary: summarizeQuality(
      about.map(({ name }) => name),
      measurements,
    ),
    measurements,
  };
}

async function scoredAnswer(
  model: Model,
  { id, group, messages, score }: QualityTask,
  decoder: Decoder,
  { sampling, maxTokens, seed, signal }: QualityOptions & { readonly seed: number },
): Promise<Omit<QualityMeasurement, "decoder" | "seed">> {
  const { text, finish, report } = await generate(model, {
    ...sampling,
    messages,
    decoder,
    maxTokens,
    seed,
    signal,
  });
  // An aborted answer is shorter than it would be: it must not be scored.
  signal?.throwIfAborted();
  const { tokens, targetPasses, rows, drafted, accepted } = report;
  return {
    task: id,
    group,
    score: score(text),
    answer: text,
    finish,
    tokens,
    targetPasses,
    rows,
    drafted,
    accepted,
  };
}

function checkNames(what: string, key: string, names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated === undefined && names.length > 0) return;
  throw new DecodingError("INVALID_OPTION", {
    message:
      repeated === undefined ? `There are no ${what}.` : `Two of the ${what} have the ${key} ${repeated}.`,
    fix: `Pass at least one, each with a ${key} of its own; plain decoding runs by itself.`,
  });
}
