import type { SamplingOptions, TokenId } from "@foretoken/core";
import { referenceLaw } from "./reference-law.ts";

/** Probability of every text, keyed by {@link textKey}. */
export type TextLaw = ReadonlyMap<string, number>;

/** Whose law is enumerated, and how far. */
export interface ExactLawOptions extends SamplingOptions {
  /** Raw logits `[V]` behind a text; a scripted model's `logitsOf`. */
  readonly logitsOf: (tokens: readonly TokenId[]) => ArrayLike<number>;
  readonly prompt: readonly TokenId[];
  /** How many tokens of the answer. */
  readonly length: number;
  /** Tokens that end an answer early. */
  readonly endTokens?: readonly TokenId[];
}

/** The law of the first `length` tokens of an answer, by walking through all of them. Costs `V ** length` at most. */
export function exactLaw({
  logitsOf,
  prompt,
  length,
  endTokens = [],
  ...sampling
}: ExactLawOptions): TextLaw {
  const law = new Map<string, number>();
  const walk = (output: readonly TokenId[], probability: number): void => {
    if (output.length === length || endTokens.includes(output.at(-1)!)) {
      law.set(textKey(output), probability);
      return;
    }
    const next = referenceLaw(logitsOf([...prompt, ...output]), sampling, { prompt, output });
    for (const [token, share] of next.entries()) {
      if (share > 0) walk([...output, token], probability * share);
    }
  };
  walk([], 1);
  return law;
}

/** The key of a text in a {@link TextLaw}: its tokens with spaces between. */
export function textKey(tokens: readonly TokenId[]): string {
  return tokens.join(" ");
}
