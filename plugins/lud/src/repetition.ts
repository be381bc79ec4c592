import type { TokenId, Tokenizer } from "@foretoken/core";

/**
 * Which guesses count as repetitions: `text` the same token again, and words that begin alike; `code` the same but for tokens without
 * letters and digits, such as spaces and brackets; `off` none.
 */
export type RepetitionRule = "text" | "code" | "off";

/** Whether a guess repeats the token before it. */
export type Repeats = (token: TokenId, before: TokenId) => boolean;

/**
 * The guard against loops: a padding behind "the" likes to guess "the" as well.
 *
 * @param tokenizer - Without one only equal tokens repeat.
 */
export function repetitions(rule: RepetitionRule, tokenizer: Tokenizer | undefined): Repeats {
  if (rule === "off") return () => false;
  const utf8 = new TextDecoder();
  const wordOf = (token: TokenId): string => {
    const text = tokenizer === undefined ? "" : utf8.decode(tokenizer.tokenBytes(token)).trim();
    return /[\p{L}\p{N}]/u.test(text) ? text : "";
  };
  return (token, before) => {
    const [word, last] = [wordOf(token), wordOf(before)];
    if (word === "" || last === "") {
      return token === before && (rule === "text" || tokenizer === undefined);
    }
    return word.startsWith(last) || last.startsWith(word);
  };
}
