import {
  type Drafter,
  lawStateFor,
  type Random,
  type Session,
  type TokenId,
  type TokenTree,
} from "@foretoken/core";
import { scriptedModel } from "../scripted/scripted-model.ts";

/** Options of {@link draftTrees}. */
export interface DraftTreesOptions {
  readonly vocabularySize: number;
  /** Tokens of the model's tokenizer that end an answer. */
  readonly endTokens?: readonly TokenId[];
  /** Default 1. */
  readonly temperature?: number;
  /** Most nodes of a tree. Default what the drafter prefers. */
  readonly limit?: number;
}

/**
 * What a drafter proposes behind texts that no model wrote, for tests that draw very many trees: it is shown no passes, so it
 * must be one that reads the text.
 *
 * @returns The tree behind a text, whose last token is the root.
 */
export function draftTrees(
  drafter: Drafter,
  { vocabularySize, endTokens = [], temperature = 1, limit = drafter.defaultLimit }: DraftTreesOptions,
): (text: readonly TokenId[], random: Random) => Promise<TokenTree> {
  const model = scriptedModel({ vocabularySize, next: () => 0, tokenizer: { endTokens } });
  const tokens: TokenId[] = [];
  const session = { model, tokens } as Partial<Session> as Session;
  const drafting = drafter.start({ model, session, missingPrefix: 0 });
  const law = lawStateFor({ temperature }, { vocabularySize, promptTokens: [] });
  return async (text, random) => {
    tokens.splice(0, tokens.length, ...text.slice(0, -1));
    return drafting.propose(text.at(-1)!, limit, { random, law });
  };
}
