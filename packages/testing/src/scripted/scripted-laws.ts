import type { TokenId } from "@foretoken/core";
import { mix } from "./context-node.ts";
import { largest } from "./script.ts";

/** Options of {@link randomLaw}. */
export interface RandomLawOptions {
  readonly seed: number;
  readonly vocabularySize: number;
  /** How many tokens back the law looks; default all of them. */
  readonly order?: number;
  /** Share of tokens with probability 0 in each context; at least one token always has mass. Default 0. */
  readonly holes?: number;
}

/** A law with random probabilities for every context, always the same for one seed. */
export function randomLaw({
  seed,
  vocabularySize,
  order = Number.POSITIVE_INFINITY,
  holes = 0,
}: RandomLawOptions) {
  return (tokens: readonly TokenId[]): number[] => {
    let hash = mix(seed, vocabularySize);
    for (let at = Math.max(0, tokens.length - order); at < tokens.length; at++) hash = mix(hash, tokens[at]!);
    const weights = Array.from({ length: vocabularySize }, (_, token) => mix(hash, token) / 2 ** 32);
    const favourite = largest(weights);
    const kept = weights.map((weight, token) =>
      token !== favourite && mix(hash, token + vocabularySize) / 2 ** 32 < holes ? 0 : weight ** 2 + 0.01,
    );
    const total = kept.reduce((sum, weight) => sum + weight, 0);
    return kept.map((weight) => weight / total);
  };
}

/**
 * A script that writes `text` from position 0 on, whatever came before, and repeats its last token behind the end.
 *
 * @returns For {@link Script.next}.
 */
export function forcedText(text: readonly TokenId[]): (tokens: readonly TokenId[]) => TokenId {
  return (tokens) => text[Math.min(tokens.length, text.length - 1)]!;
}
