import type { FinishReason, TokenId } from "@foretoken/core";
import type { BenchPrompt } from "./prompts.ts";

/** What one answer was and what it cost. Counts of passes are there for our own decoders only. */
export interface Answer {
  readonly tokens: readonly TokenId[];
  readonly promptTokens: number;
  readonly finish: FinishReason;
  /** (tokens - 1) ÷ seconds between the first and the last token; 0 with fewer than two tokens. */
  readonly tokensPerSecond: number;
  /** Prefill included. */
  readonly timeToFirstTokenMs: number;
  readonly targetPasses?: number;
  readonly rows?: number;
  readonly drafted?: number;
  readonly accepted?: number;
  /** Milliseconds behind the first token that were spent outside the model's passes. */
  readonly overheadMs?: number;
}

/** How a contestant answers; the same for all of a run. */
export interface AnswerOptions {
  readonly maxTokens: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Something that answers prompts and is measured: one of our decoders, or another engine. */
export interface Contestant {
  readonly name: string;
  /**
   * The contestant its speed-up and its tokens are compared with; default the first of the run. A peer's speculative
   * mode names the peer's plain one here.
   */
  readonly baseline?: string;
  /** What identifies it in the results: options, versions, thread counts. */
  readonly about?: Readonly<Record<string, unknown>>;
  answer(prompt: BenchPrompt, options: AnswerOptions): Promise<Answer>;
  /** Ends what it started, such as another process. */
  dispose?(): Promise<void>;
}
