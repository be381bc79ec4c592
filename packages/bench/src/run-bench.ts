import { DecodingError } from "@foretoken/core";
import type { Answer, Contestant } from "./contestant.ts";
import { PartialResults } from "./partial-results.ts";
import type { BenchPrompt } from "./prompts.ts";
import { runOrder } from "./run-order.ts";
import { type SummaryRow, summarize } from "./summarize.ts";

/** One answer of one contestant. */
export interface Measurement extends Answer {
  readonly contestant: string;
  readonly prompt: string;
  readonly group: string;
  /** From 0. */
  readonly repeat: number;
}

/** How far a run is. */
export interface BenchProgress {
  readonly done: number;
  readonly total: number;
  readonly contestant: string;
  readonly prompt: BenchPrompt;
}

/** Options of {@link runBench}. */
export interface BenchOptions {
  /** The first one is the reference: speed-ups are over it, and outputs are compared with its. */
  readonly contestants: readonly Contestant[];
  readonly prompts: readonly BenchPrompt[];
  /** Tokens of each answer, at most; default 128. */
  readonly maxTokens?: number;
  /** Answers of each contestant to each prompt, at least 1; default 1. Figures are medians over them. */
  readonly repeats?: number;
  /** Default 0. */
  readonly seed?: number;
  /**
   * A file to keep measurements in while the run goes on; a run with the same `identity`, contestants, prompts and
   * options goes on where the file ends.
   */
  readonly resume?: string;
  /** What else must be the same for `resume`: model, dtype, sampling. */
  readonly identity?: unknown;
  readonly onProgress?: (progress: BenchProgress) => void;
  readonly signal?: AbortSignal;
}

/** Everything a run gave. */
export interface BenchResult {
  readonly contestants: readonly Pick<Contestant, "name" | "baseline" | "about">[];
  readonly maxTokens: number;
  readonly repeats: number;
  readonly seed: number;
  readonly summary: readonly SummaryRow[];
  readonly measurements: readonly Measurement[];
}

/** Tokens of the answer that warms a contestant up; it is not measured. */
const WARM_UP_TOKENS = 8;

/**
 * Lets contestants answer prompts, interleaved and repeated: for each prompt all contestants answer one after the other,
 * in an order that turns from prompt to prompt, so that a machine that grows slower or faster treats them alike.
 *
 * @throws `INVALID_OPTION` for repeated names, a baseline that does not run, or `resume` with a file of another run;
 * whatever a contestant throws, and the signal's reason.
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const { contestants, prompts, maxTokens = 128, repeats = 1, seed = 0, onProgress, signal } = options;
  checkContestants(contestants);
  const about = contestants.map(({ name, baseline, about }) => ({ name, baseline, about }));
  const results = await PartialResults.open<Measurement>(options.resume, {
    contestants: about,
    prompts: prompts.map(({ id, group }) => [group, id]),
    maxTokens,
    repeats,
    seed,
    identity: options.identity,
  });

  const rounds = runOrder(contestants, prompts, repeats);
  const total = rounds.length * contestants.length;
  const waiting = rounds.filter(
    ({ prompt, repeat }) => !results.has((one) => one.prompt === prompt.id && one.repeat === repeat),
  );
  if (waiting.length > 0) {
    for (const contestant of contestants) {
      await contestant.answer(prompts[0]!, { maxTokens: Math.min(WARM_UP_TOKENS, maxTokens), seed, signal });
    }
  }
  let done = total - waiting.length * contestants.length;
  for (const { prompt, repeat, order } of waiting) {
    const round: Measurement[] = [];
    for (const contestant of order) {
      signal?.throwIfAborted();
      onProgress?.({ done, total, contestant: contestant.name, prompt });
      const answer = await contestant.answer(prompt, { maxTokens, seed, signal });
      round.push({ contestant: contestant.name, prompt: prompt.id, group: prompt.group, repeat, ...answer });
      done++;
    }
    await results.add(round);
  }
  const { measurements } = results;
  return {
    contestants: about,
    maxTokens,
    repeats,
    seed,
    summary: summarize(about, measurements),
    measurements,
  };
}

function checkContestants(contestants: readonly Contestant[]): void {
  const names = contestants.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined || names.length === 0) {
    throw new DecodingError("INVALID_OPTION", {
      message:
        repeated === undefined ? "There is nothing to measure." : `Two contestants are named ${repeated}.`,
      fix: "Pass at least one contestant, each with a name of its own.",
    });
  }
  const stray = contestants.find(({ baseline }) => baseline !== undefined && !names.includes(baseline));
  if (stray !== undefined) {
    throw new DecodingError("INVALID_OPTION", {
      message: `${stray.name} is compared with ${stray.baseline}, which does not run.`,
      fix: `Add ${stray.baseline} to the contestants.`,
    });
  }
}
