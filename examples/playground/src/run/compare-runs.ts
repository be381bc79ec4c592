import type { Generation } from "@foretoken/core";
import type { Run } from "./run.ts";

/** One answer of each decoder to the same request. */
export interface Round {
  readonly plain: Run;
  readonly chosen: Run;
}

/** What whole rounds say. */
export interface Outcome {
  readonly rounds: number;
  /** Medians of tokens/s. */
  readonly plain: number;
  readonly chosen: number;
  /** Median of the rounds' quotients. */
  readonly speedUp: number;
  /** Tokens both texts begin with. */
  readonly sharedTokens: number;
  readonly isSameText: boolean;
}

/** Adds up the rounds in which both decoders came to an end; `undefined` when there is none. */
export function outcomeOf(rounds: readonly Round[]): Outcome | undefined {
  const whole = rounds.flatMap(({ plain, chosen }) => {
    const [a, b] = [plain.status.value, chosen.status.value];
    return a.is === "done" && b.is === "done" ? [{ plain: a.generation, chosen: b.generation }] : [];
  });
  if (whole.length === 0) return undefined;
  const speed = (generation: Generation) => generation.report.tokensPerSecond;
  const [{ plain, chosen }] = whole;
  const parted = plain.tokens.findIndex((token, index) => token !== chosen.tokens[index]);
  const sharedTokens = parted < 0 ? plain.tokens.length : parted;
  return {
    rounds: whole.length,
    plain: median(whole.map((round) => speed(round.plain))),
    chosen: median(whole.map((round) => speed(round.chosen))),
    speedUp: median(whole.map((round) => speed(round.chosen) / speed(round.plain))),
    sharedTokens,
    isSameText: sharedTokens === plain.tokens.length && sharedTokens === chosen.tokens.length,
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle) - 1]) / 2;
}
