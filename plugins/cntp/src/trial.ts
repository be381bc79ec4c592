import type {
  DecodeStep,
  Decoding,
  LawState,
  LayerPlan,
  Random,
  Session,
  StopState,
  TokenId,
  TokenLaw,
  TokenLogProbability,
} from "@foretoken/core";
import { LawWatch } from "./law-watch.ts";
import { passesOf } from "./passes.ts";
import { type TrialEnd, trialStop } from "./trial-stop.ts";

/** Probabilities below count as this one, for tokens that a decoder kept although their law gives them nothing. */
const LEAST_PROBABILITY = 1e-45;

/** How a trial begins: its first token, drawn from the law at hand. */
export interface TrialStart {
  readonly token: TokenId;
  /** Its `-ln p`. */
  readonly surprise: number;
  /** The entry to report when the trial is kept. */
  readonly logProbability: TokenLogProbability;
  /** The trial's own numbers. */
  readonly random: Random;
}

/** What the trials at one place have in common. */
export interface TrialGround {
  /** Holds the text up to the place of doubt; branched for each trial. */
  readonly session: Session;
  /** Its decoder's state; forked for each trial. */
  readonly decoding: Decoding;
  /** The law and stop states of the token in doubt. */
  readonly law: LawState;
  readonly stop: StopState;
  readonly end: TrialEnd;
  readonly temperature: number | undefined;
  /** As in `DecodeContext`. */
  readonly layerPlan: LayerPlan | undefined;
  readonly logProbabilities: number | undefined;
}

/** A continuation that has ended. */
export interface Trial {
  /** At least one. */
  readonly tokens: readonly TokenId[];
  readonly meanSurprise: number;
  /** The passes it took: their tokens are all but the first. */
  readonly passes: readonly DecodeStep[];
  /** Holds all but the last token, when any pass was run; freed by {@link releaseTrial}. */
  readonly branch?: { readonly session: Session; readonly decoding: Decoding };
}

/** `-ln p` of a token. */
export function surpriseOf(law: TokenLaw, token: TokenId): number {
  return -Math.log(Math.max(law.probability(token), LEAST_PROBABILITY));
}

/**
 * Decodes on a branch until the trial or the answer ends.
 * @throws What the decoder throws; nothing is left of the trial then.
 */
export async function runTrial(
  { token: first, surprise, random }: TrialStart,
  { decoding, law, end, temperature, layerPlan, logProbabilities, ...ground }: TrialGround,
  signal: AbortSignal | undefined,
): Promise<Trial> {
  const stop = trialStop(ground.stop, end).advance(first);
  if (stop.finish !== undefined) return { tokens: [first], meanSurprise: surprise, passes: [] };

  const watch = new LawWatch<number>({
    logProbabilities,
    temperature,
    isDrawn: true,
    note: ({ law, token }) => surpriseOf(law, token),
  });
  const tokens = [first];
  const passes: DecodeStep[] = [];
  let sum = surprise;
  const session = ground.session.branch();
  let fork: Decoding | undefined;
  try {
    fork = decoding.fork(session);
    const steps = fork.steps({
      session,
      root: first,
      law: watch.over(law.advance(first)),
      stop,
      random,
      layerPlan,
      logProbabilities: logProbabilities ?? 0,
      signal,
    });
    for await (const step of steps) {
      for (const note of watch.notes(step)) sum += note;
      tokens.push(...step.tokens);
      passes.push(...passesOf(step, logProbabilities !== undefined));
    }
  } catch (error) {
    fork?.dispose();
    session.dispose();
    throw error;
  }
  return { tokens, meanSurprise: sum / tokens.length, passes, branch: { session, decoding: fork } };
}

/** Frees a trial's rows and decoder state. */
export function releaseTrial({ branch }: Trial): void {
  branch?.decoding.dispose();
  branch?.session.dispose();
}
