import type { BenchPrompt } from "./prompts.ts";

/** All contestants on one prompt, in the order they answer. */
export interface BenchRound<C> {
  readonly prompt: BenchPrompt;
  readonly repeat: number;
  readonly order: readonly C[];
}

/**
 * The rounds of a run: every prompt once, then every prompt again. The order of contestants is turned by one from prompt
 * to prompt and from repeat to repeat, so that each is first, second, … equally often.
 */
export function runOrder<C>(
  contestants: readonly C[],
  prompts: readonly BenchPrompt[],
  repeats: number,
): readonly BenchRound<C>[] {
  return Array.from({ length: repeats }, (_, repeat) =>
    prompts.map((prompt, index) => {
      const turn = (index + repeat) % contestants.length;
      return { prompt, repeat, order: [...contestants.slice(turn), ...contestants.slice(0, turn)] };
    }),
  ).flat();
}
