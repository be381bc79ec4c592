import type { Model, TokenId, Tokenizer } from "@foretoken/core";

/**
 * The first token that two models spell differently, as a sentence; `undefined` when their vocabularies are the same.
 * A draft's probabilities go by token id, so that every id must mean the same.
 */
export function vocabularyDifference(target: Model, draft: Model): string | undefined {
  const shared = Math.min(target.vocabularySize, draft.vocabularySize);
  for (let token = 0; token < shared; token++) {
    const [wanted, given] = [spelling(target.tokenizer, token), spelling(draft.tokenizer, token)];
    if (wanted !== given) return `token ${token} is ${wanted} to ${target.id}, but ${given} to ${draft.id}`;
  }
  if (target.vocabularySize === draft.vocabularySize) return undefined;
  const larger = target.vocabularySize > draft.vocabularySize ? target : draft;
  return `token ${shared} is ${spelling(larger.tokenizer, shared)} to ${larger.id}, but the other has ${shared} tokens only`;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** How a token is written: as text where its bytes are text, control tokens with a mark. */
function spelling(tokenizer: Tokenizer | undefined, token: TokenId): string {
  if (tokenizer === undefined) return "an id without text";
  const control = tokenizer.specialTokens.get(token);
  if (control !== undefined) return `the control token ${JSON.stringify(control)}`;
  const bytes = tokenizer.tokenBytes(token);
  try {
    return JSON.stringify(utf8.decode(bytes));
  } catch {
    return `the bytes ${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
  }
}
