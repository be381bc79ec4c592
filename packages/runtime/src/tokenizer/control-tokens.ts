import type { TokenId } from "@foretoken/core";

/** A token that steers the model and never appears in text by itself, such as `<|im_end|>`. */
export interface ControlToken {
  readonly id: TokenId;
  /** How the model's author writes it. */
  readonly text: string;
  /** White space before or after the written form belongs to it. */
  readonly stripsLeft?: boolean;
  readonly stripsRight?: boolean;
}

/** A piece of a text: one control token, or what lies between two of them. */
export type TextPiece = { readonly control: TokenId } | { readonly text: string };

/** Finds the written forms of control tokens, and hides those that must stay plain text. */
export interface ControlTokens {
  /** Cuts a text at the written forms; where one form is the beginning of another, the longer one counts. */
  split(text: string): TextPiece[];
  /** A guard for texts that will stand together in one rendered text. */
  guard(texts: readonly string[]): ControlTokenGuard;
}

/**
 * Keeps control tokens that a user typed from becoming control tokens.
 *
 * A chat template mixes its own control tokens with message content. Before rendering, the first character of
 * every written form in the content is exchanged for a *stand-in*, a character that occurs nowhere else; after the
 * text is cut at the remaining control tokens, stand-ins become what they were. Text without written forms
 * goes through unchanged, so its tokens are the ordinary ones.
 */
export interface ControlTokenGuard {
  /** Replaces what could be read as (the beginning or end of) a control token. */
  hide(text: string): string;
  /** Undoes {@link hide} in a text or a part of it. */
  reveal(text: string): string;
  /** A character that occurs in none of the texts and stands for none: another one at each call. */
  unused(): string;
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/** The first code point, as text. */
const firstCharacter = (text: string) => String.fromCodePoint(text.codePointAt(0) as number);

export function controlTokens(tokens: readonly ControlToken[]): ControlTokens {
  // Longest first: alternatives of a regular expression are tried in order.
  const written = tokens.filter(({ text }) => text !== "").sort((a, b) => b.text.length - a.text.length);
  const byText = new Map(written.map((token) => [token.text, token]));
  const pattern = written
    .map(
      ({ text, stripsLeft, stripsRight }) =>
        `${stripsLeft ? "\\s*" : ""}(?:${escapeRegExp(text)})${stripsRight ? "\\s*" : ""}`,
    )
    .join("|");

  const split = (text: string): TextPiece[] => {
    if (written.length === 0) return text === "" ? [] : [{ text }];
    const pieces: TextPiece[] = [];
    let end = 0;
    for (const match of text.matchAll(new RegExp(pattern, "gu"))) {
      if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
      const token = byText.get(match[0]) ?? byText.get(match[0].trim());
      if (token) pieces.push({ control: token.id });
      end = match.index + match[0].length;
    }
    if (end < text.length) pieces.push({ text: text.slice(end) });
    return pieces;
  };

  return { split, guard: (texts) => controlTokenGuard(written, texts) };
}

function controlTokenGuard(written: readonly ControlToken[], texts: readonly string[]): ControlTokenGuard {
  const fresh = unusedCharacters([...texts, ...written.map(({ text }) => text)]);
  const unused = () => fresh.next().value as string;
  if (written.length === 0) return { hide: (text) => text, reveal: (text) => text, unused };
  const anyWhole = written.map(({ text }) => escapeRegExp(text)).join("|");
  // The look-ahead finds overlapping forms too.
  const wholeForms = new RegExp(`(?=(?:${anyWhole}))[^]`, "gu");
  const tails = new Set(written.flatMap(({ text }) => properTails(text)));
  const heads = new Set(written.flatMap(({ text }) => properHeads(text)));
  const longest = Math.max(...written.map(({ text }) => text.length));

  const originals = new Map<string, string>();
  const standIns = new Map<string, string>();
  const standInFor = (character: string): string => {
    let standIn = standIns.get(character);
    if (standIn === undefined) {
      standIn = unused();
      standIns.set(character, standIn);
      originals.set(standIn, character);
    }
    return standIn;
  };

  return {
    unused,
    hide(text) {
      if (text === "") return text;
      let hidden = text.replace(wholeForms, standInFor);
      // Half a form at an edge could be completed by what the template writes next to it.
      for (let length = Math.min(longest, hidden.length); length > 0; length--) {
        const end = hidden.slice(-length);
        if (heads.has(end)) {
          const first = firstCharacter(end);
          hidden = hidden.slice(0, -length) + standInFor(first) + end.slice(first.length);
        }
      }
      for (let length = 1; length <= Math.min(longest, hidden.length); length++) {
        if (!tails.has(hidden.slice(0, length))) continue;
        const first = firstCharacter(hidden);
        return standInFor(first) + hidden.slice(first.length);
      }
      return hidden;
    },
    reveal: (text) =>
      originals.size === 0
        ? text
        : text.replace(new RegExp(`[${[...originals.keys()].join("")}]`, "gu"), (c) => originals.get(c) ?? c),
  };
}

const cuts = (text: string) => Array.from({ length: text.length - 1 }, (_, i) => i + 1);
const properHeads = (text: string) => cuts(text).map((cut) => text.slice(0, cut));
const properTails = (text: string) => cuts(text).map((cut) => text.slice(cut));

/** Private characters that occur in none of `texts`. */
function* unusedCharacters(texts: readonly string[]): Generator<string> {
  for (let codePoint = 0xf0000; codePoint <= 0x10fffd; codePoint++) {
    const character = String.fromCodePoint(codePoint);
    if ((codePoint & 0xfffe) !== 0xfffe && !texts.some((text) => text.includes(character))) yield character;
  }
}
