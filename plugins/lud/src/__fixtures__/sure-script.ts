import type { Script } from "@foretoken/testing";

/** Tokens of {@link sureScript}; more than a text is long, so that it never comes round. */
export const VOCABULARY = 64;

/** How sure the target is of the token behind a text, and its paddings of those behind it. */
export interface Sureness {
  /** Confidence of the target behind a text of so many tokens. Default 0.95. */
  readonly own?: (length: number) => number;
  /** Confidence of the padding at an offset from 1. */
  readonly guessed: (offset: number, length: number) => number;
  /** How far paddings guess beside the text. Default 0, which is right. */
  readonly drift?: number;
}

/** Counts up, and is as sure of it as it is told. */
export function sureScript({ own = () => 0.95, guessed, drift = 0 }: Sureness): Script {
  const lawOf = (token: number, confidence: number) =>
    Array.from({ length: VOCABULARY }, (_, at) =>
      at === token % VOCABULARY ? confidence : (1 - confidence) / (VOCABULARY - 1),
    );
  return {
    law: (tokens) => lawOf(tokens.at(-1)! + 1, own(tokens.length)),
    probe: (tokens, { embeddings: { length: offset } }) =>
      lawOf(tokens.at(-1)! + 1 + offset + drift, guessed(offset, tokens.length)).map(Math.log),
  };
}
