import type { LogitsProcessor, TokenId } from "@foretoken/core";
import { forcedText, randomLaw } from "../scripted/scripted-laws.ts";
import type { SuiteScript } from "./decoder-bench.ts";

const VOCABULARY = 6;

const wanderingLaw = randomLaw({ seed: 11, vocabularySize: VOCABULARY, order: 2, holes: 0.3 });

/** Random laws of the last two tokens, a third of them zero: drafts are seldom right. */
export const wandering: SuiteScript = {
  vocabularySize: VOCABULARY,
  law: wanderingLaw,
};

/** Mostly counts upwards and starts again: texts repeat, and drafts are often right. */
export const looping: SuiteScript = {
  vocabularySize: VOCABULARY,
  law: (tokens) => {
    const next = ((tokens.at(-1) ?? 0) + 1) % VOCABULARY;
    return wanderingLaw(tokens).map((share, token) => 0.3 * share + (token === next ? 0.7 : 0));
  },
};

/** A few tokens whose law remembers everything, for enumeration. */
export const tiny: SuiteScript = {
  vocabularySize: 4,
  law: randomLaw({ seed: 5, vocabularySize: 4 }),
};

/** The token that ends texts of {@link tiny}. */
export const END: TokenId = 3;

/** As {@link tiny}, with a third of all probabilities zero. */
export const tinyWithHoles: SuiteScript = {
  ...tiny,
  law: randomLaw({ seed: 6, vocabularySize: 4, holes: 0.35 }),
};

/** The prompt of {@link forced}: the text it is going to write. */
export const forcedPrompt: readonly TokenId[] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Writes its prompt once more, and then `i` for ever. */
export const forced: SuiteScript = {
  vocabularySize: 12,
  next: forcedText([...forcedPrompt, ...forcedPrompt, 8]),
  tokenizer: {},
};

/** Tokens of the little language that {@link digitsInBraces} accepts. */
export const language = { open: 0, digits: [1, 2], close: 3, end: 4, foreign: 5 } as const;

/** A model that would like to leave the language. */
export const unruly: SuiteScript = {
  vocabularySize: 6,
  law: randomLaw({ seed: 21, vocabularySize: 6, order: 1 }),
  tokenizer: { texts: ['{"a":', "1", "2", "}", "", "x"], endTokens: [language.end] },
};

/** Accepts `{"a":` digits `}` and the end token, with three digits at most. Throws when called behind the end. */
export function digitsInBraces(): LogitsProcessor<string> {
  const allowed = (written: string): readonly TokenId[] => {
    if (written === "") return [language.open];
    if (written.endsWith("}")) return [language.end];
    const count = written.length - 1;
    return [...(count < 3 ? language.digits : []), ...(count > 0 ? [language.close] : [])];
  };
  return {
    name: "digits-in-braces",
    init: () => "",
    advance: (written, token) => {
      if (token === language.end) throw new Error("advance() was called with the end token");
      if (!allowed(written).includes(token))
        throw new Error(`advance() was called with token ${token} behind ${written}`);
      return written + ["{", "1", "2", "}"][token];
    },
    apply: (written, logits) => {
      const legal = allowed(written);
      for (let token = 0; token < logits.length; token++) {
        if (!legal.includes(token)) logits[token] = Number.NEGATIVE_INFINITY;
      }
    },
  };
}
