import type { LogitsProcessor } from "./logits-processor.ts";
import type { TokenId } from "./tokens.ts";

/**
 * How tokens are drawn. Applied in this order: bias, bans, penalties, processors, temperature, top-k, top-p, min-p.
 */
export interface SamplingOptions {
  /** 0 takes the most probable token. Default 0. */
  readonly temperature?: number;
  /** Keep the `topK` most probable tokens, the lower id first among equals; 0 keeps all. Default 0. */
  readonly topK?: number;
  /** Keep the fewest most probable tokens whose mass reaches `topP`, at least one. In (0, 1]; default 1. */
  readonly topP?: number;
  /** Keep tokens at least `minP` times as probable as the most probable one. In [0, 1]; default 0. */
  readonly minP?: number;
  /** Divides positive and multiplies negative logits of tokens in prompt and output. Above 0; default 1 (off). */
  readonly repetitionPenalty?: number;
  /** Subtracted once from the logit of every token in the output. Default 0. */
  readonly presencePenalty?: number;
  /** Subtracted from the logit of every token in the output, times its count there. Default 0. */
  readonly frequencyPenalty?: number;
  /** Whether presence and frequency penalties count the prompt too. Default `false`. */
  readonly penalizePrompt?: boolean;
  /** Added to logits by token. */
  readonly bias?: Readonly<Record<TokenId, number>>;
  /** Tokens that are never drawn. */
  readonly bannedTokens?: readonly TokenId[];
  /** User processors, applied in order. */
  readonly processors?: readonly LogitsProcessor[];
}
