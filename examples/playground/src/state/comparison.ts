import { computed, signal } from "@preact/signals";
import { PLAIN } from "../parts.ts";
import type { Round } from "../run/compare-runs.ts";
import { type GrowingRun, newRun, type Run } from "../run/run.ts";
import { isBusy, perform, stop } from "./conversation.ts";
import { modelState } from "./model.ts";
import { decoder } from "./settings.ts";

/** Rounds so far, of `of` in all. */
export interface Comparison {
  readonly rounds: readonly Round[];
  readonly of: number;
}

export const ROUNDS = 3;
export const comparison = signal<Comparison | undefined>(undefined);
const isWanted = signal(false);

/** Whether rounds are still being run. */
export const isComparing = computed(() => isWanted.value && isBusy.value);

/**
 * Answers `base`'s prompt with plain decoding and with the decoder chosen now, with one seed, in turns: plain first in
 * odd rounds, last in even ones, so that a machine that warms up or slows down favours neither. Nothing is taken from
 * the chat's cache.
 */
export async function compareWithPlain(base: Run): Promise<void> {
  const state = modelState.value;
  if (state.is !== "ready" || isBusy.value) return;
  const seed = base.request.sampling.seed ?? Math.floor(Math.random() * 2 ** 32);
  const request = { ...base.request, sampling: { ...base.request.sampling, seed } };
  isWanted.value = true;
  comparison.value = { rounds: [], of: ROUNDS };
  try {
    for (let number = 1; number <= ROUNDS && isWanted.value; number++) {
      const plain = newRun(state.model.info, { ...request, decoder: PLAIN });
      const chosen = newRun(state.model.info, { ...request, decoder: decoder.value });
      comparison.value = { rounds: [...comparison.value.rounds, { plain, chosen }], of: ROUNDS };
      for (const run of number % 2 === 1 ? [plain, chosen] : [chosen, plain]) {
        if (isWanted.value) await perform(state.model, run);
        if (!isComplete(run)) isWanted.value = false;
      }
    }
  } finally {
    isWanted.value = false;
  }
}

/** Ends the comparison; rounds that are whole stay. */
export function stopComparing(): void {
  isWanted.value = false;
  stop();
}

const isComplete = ({ status }: GrowingRun) =>
  status.value.is === "done" && status.value.generation.finish !== "aborted";
