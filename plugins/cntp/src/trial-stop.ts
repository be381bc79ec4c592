import type { StopState, TokenId } from "@foretoken/core";

/** What ends a trial besides the answer's own end. */
export interface TrialEnd {
  isPunctuation(token: TokenId): boolean;
  /** Tokens at most; `Infinity` sets no limit. */
  readonly maxTrialTokens: number;
}

/** The stop rule of a trial: the answer's own at the place of doubt, and the trial's end. */
export function trialStop(answer: StopState, end: TrialEnd): StopState {
  return stateOf(answer, end, end.maxTrialTokens, false);
}

function stateOf(answer: StopState, end: TrialEnd, left: number, isEnded: boolean): StopState {
  // Only the trial's loop reads the reason: the answer's own is told when the trial is kept.
  const finish = answer.finish ?? (isEnded || left <= 0 ? "stop" : undefined);
  return {
    finish,
    remaining: finish === undefined ? Math.min(answer.remaining, left) : 0,
    advance: (token) => stateOf(answer.advance(token), end, left - 1, end.isPunctuation(token)),
  };
}
