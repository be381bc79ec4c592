import type { Model, Tokenizer } from "@foretoken/core";
import { crc32 } from "./crc32.ts";
import { invalidTable } from "./table-container.ts";

/** What a table of successors may be used with: one model's weights, or every model of one tokenizer. */
export interface SuccessorOwner {
  readonly kind: "model" | "tokenizer";
  /** `Model.contentHash`, or a fingerprint of the tokenizer's tokens: it finds mistakes, not forgeries. */
  readonly hash: string;
}

/** The part of a model that decides which tables fit it. */
export type OwningModel = Pick<Model, "contentHash" | "vocabularySize" | "tokenizer">;

/** The owner of what a model predicts. */
export const modelOwner = ({ contentHash }: Pick<Model, "contentHash">): SuccessorOwner => ({
  kind: "model",
  hash: contentHash,
});

/** The owner of what was counted in tokenized text; the model itself where it takes no text. */
export function textOwner(model: Pick<OwningModel, "contentHash" | "tokenizer">): SuccessorOwner {
  return model.tokenizer === undefined
    ? modelOwner(model)
    : { kind: "tokenizer", hash: tokenizerHash(model.tokenizer) };
}

/**
 * Refuses a table of another model, tokenizer or vocabulary.
 *
 * @param name - What messages call the table.
 * @throws `TABLE_INVALID`
 */
export function checkOwner(
  { owner, vocabularySize }: { readonly owner: SuccessorOwner; readonly vocabularySize: number },
  model: OwningModel,
  name = "The table",
): void {
  const { hash } = owner.kind === "model" ? modelOwner(model) : textOwner(model);
  if (owner.hash !== hash) {
    throw invalidTable(
      `${name} was made for ${owner.kind} ${owner.hash}, but this ${owner.kind} is ${hash}.`,
    );
  }
  if (vocabularySize !== model.vocabularySize) {
    throw invalidTable(
      `${name} has a vocabulary of ${vocabularySize}, but this model has ${model.vocabularySize}.`,
    );
  }
}

const hashes = new WeakMap<Tokenizer, string>();

/** Tokens and control tokens by id; two tokenizers that agree on them give texts the same meaning. */
function tokenizerHash(tokenizer: Tokenizer): string {
  let hash = hashes.get(tokenizer);
  if (hash === undefined) {
    const { vocabularySize, specialTokens } = tokenizer;
    const parts = Array.from({ length: vocabularySize }, (_, token) =>
      specialTokens.has(token) ? `<${specialTokens.get(token)}>` : tokenizer.tokenBytes(token).join(),
    );
    const sum = crc32(new TextEncoder().encode(parts.join(";")));
    hash = `${vocabularySize}-${sum.toString(16).padStart(8, "0")}`;
    hashes.set(tokenizer, hash);
  }
  return hash;
}
