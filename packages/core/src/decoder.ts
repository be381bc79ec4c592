import type { Round } from "./drafter.ts";
import type { Guarantee } from "./guarantee.ts";
import type { LawState, TokenLogProbability } from "./law-state.ts";
import type { LayerPlan, LayerSchedule } from "./layer-schedule.ts";
import type { Model, Requirements } from "./model.ts";
import type { Random } from "./random.ts";
import type { RowInput, Session, Wants } from "./session.ts";
import type { StopState } from "./stop.ts";
import type { TokenTree } from "./token-tree.ts";
import type { TokenId } from "./tokens.ts";

/** Why an answer ended: an end token, a stop string, the token budget, the context limit, or an abort. */
export type FinishReason = "end" | "stop" | "length" | "context" | "aborted";

/** How many tokens a source drafted and how many of them became text. */
export interface SourceCount {
  readonly drafted: number;
  readonly accepted: number;
}

/** Wall-clock milliseconds of a step by what they were spent on. */
export interface StepTimes {
  readonly draftMs: number;
  readonly passMs: number;
  readonly verifyMs: number;
}

/** What one target pass made final, or several passes together. */
export interface DecodeStep {
  /** Token ids `[A + 1]`: the accepted draft tokens, then the target's own; cut where the answer ends. */
  readonly tokens: readonly TokenId[];
  /** Which drafters proposed each token; empty for the target's own. Same length as `tokens`. */
  readonly sources: readonly (readonly string[])[];
  /** Same length as `tokens` when log-probabilities were asked for. */
  readonly logProbabilities?: readonly TokenLogProbability[];
  /** Draft nodes verified. */
  readonly drafted: number;
  /** Draft tokens accepted and kept, `A`. */
  readonly accepted: number;
  /** Deepest draft node offered. */
  readonly draftedDepth: number;
  /** Rows of the target pass, probes included. */
  readonly rows: number;
  readonly bySource: Readonly<Record<string, SourceCount>>;
  readonly times: StepTimes;
  /** The verified tree, and the accepted nodes in order. */
  readonly tree?: TokenTree;
  readonly path?: readonly number[];
  /**
   * The passes of a step that took several, in order; their tokens are this step's. Passes whose tokens were all dropped are
   * among them, and none has passes of its own. Counts and times of the step are the sums of theirs.
   */
  readonly passes?: readonly DecodeStep[];
  /** Set on the last step. */
  readonly finish?: FinishReason;
}

/** What a decoder knows when a sequence starts. */
export interface SequenceContext {
  readonly model: Model;
  readonly session: Session;
  /** Tokens already in the session that no prefill will show. */
  readonly missingPrefix: number;
}

/** Where a run of steps begins. */
export interface DecodeContext {
  readonly session: Session;
  /** The decided token that is not in the cache; already emitted by the caller. */
  readonly root: TokenId;
  /** The law state behind `root`. */
  readonly law: LawState;
  /** The stop rule behind `root`. */
  readonly stop: StopState;
  readonly random: Random;
  /** The layers of this answer's passes; all, when there is none. */
  readonly layerPlan?: LayerPlan;
  /** Log-probabilities of how many top tokens to report; `undefined` reports none. */
  readonly logProbabilities?: number;
  readonly signal?: AbortSignal;
}

/** A decoder's state for one sequence. */
export interface Decoding {
  /** What prompt passes must return for {@link Decoding.observe}. */
  readonly prefillWants: Pick<Wants, "logits" | "topK" | "hidden">;
  /** Whether the reused prefix must be run again so that this decoder sees it. */
  readonly needsPrefix: boolean;
  /**
   * Probe rows to run behind the end of the prompt, in the same pass.
   * @param lastToken - The last prompt token.
   * @param lastRow - Its row in the pass; the probes' rows follow it.
   * @param position - Its index in the text.
   */
  prefillProbes?(lastToken: TokenId, lastRow: number, position: number): Promise<readonly RowInput[]>;
  /** Shows it a prompt chunk, before its rows are committed. */
  observe(round: Round): Promise<void>;
  /**
   * Decodes until the stop rule ends it. Between steps the session holds everything but the newest token.
   * @throws What its parts throw; the session then stands at its last commit with nothing pending.
   */
  steps(context: DecodeContext): AsyncGenerator<DecodeStep, void, undefined>;
  /** Sentences about what it chose and why, for the report. */
  explain?(): readonly string[];
  /** A copy for a branch of the session. */
  fork(session: Session): Decoding;
  truncate(length: number): void;
  dispose(): void;
}

/** Chooses how a model decodes. Holds options only; may be used for many sequences at once. */
export interface Decoder {
  readonly name: string;
  /** What plans the layers of each answer; all run, when there is none. */
  readonly schedule?: LayerSchedule;
  /** Asked before `prepare`, to refuse a model early, and again behind it, when what was loaded is known. */
  requirements(model: Model): Requirements;
  /** Sentences about why it cannot run on `model`; empty when it can. Never a slow path in silence. */
  unsupported(model: Model): readonly string[];
  /** Loads what its parts need; called before every answer, so it must be cheap when nothing is new. */
  prepare?(model: Model, options?: { readonly signal?: AbortSignal }): Promise<void>;
  guarantee(): Guarantee;
  start(context: SequenceContext): Decoding;
}
