import { releaseTrial, type Trial } from "./trial.ts";

/** Trials that have ended, in order, and the one to keep; only that one still has its branch. */
export interface RunTrials {
  readonly trials: readonly Trial[];
  readonly kept: number;
}

/** Runs one of the trials; stops early when the signal says so. */
export type RunOne = (trial: number, signal: AbortSignal | undefined) => Promise<Trial>;

/**
 * Runs trials one after the other.
 * @throws What a trial throws; no branch is left then.
 */
export async function runInTurn(count: number, run: RunOne, signal?: AbortSignal): Promise<RunTrials> {
  const trials: Trial[] = [];
  let kept = 0;
  try {
    for (let trial = 0; trial < count; trial++) {
      trials.push(await run(trial, signal));
      const best = likeliest(trials);
      if (trial > 0) releaseTrial(trials[best === kept ? trial : kept]!);
      kept = best;
    }
  } catch (error) {
    if (trials.length > 0) releaseTrial(trials[kept]!);
    throw error;
  }
  return { trials, kept };
}

/**
 * Runs trials at the same time, so that the runtime can lay their rows into shared passes. When one fails, the others are
 * stopped.
 * @throws What the first trial to fail throws; no branch is left then.
 */
export async function runTogether(count: number, run: RunOne, signal?: AbortSignal): Promise<RunTrials> {
  const failure = new AbortController();
  const either = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const reasons: unknown[] = [];
  const settled = await Promise.allSettled(
    Array.from({ length: count }, (_, trial) =>
      run(trial, either).catch((reason) => {
        reasons.push(reason);
        failure.abort(reason);
        throw reason;
      }),
    ),
  );
  const trials = settled.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  if (reasons.length > 0) {
    for (const trial of trials) releaseTrial(trial);
    throw reasons[0];
  }
  const kept = likeliest(trials);
  for (const [index, trial] of trials.entries()) if (index !== kept) releaseTrial(trial);
  return { trials, kept };
}

/** The trial with the lowest perplexity, the first one among equals. */
function likeliest(trials: readonly Trial[]): number {
  const surprises = trials.map(({ meanSurprise }) => meanSurprise);
  return surprises.indexOf(Math.min(...surprises));
}
