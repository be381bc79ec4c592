import { type Drafter, type LawState, type TokenId, type TokenLaw, TokenTree } from "@foretoken/core";
import { mix } from "../scripted/context-node.ts";
import { largest } from "../scripted/script.ts";
import type { ScriptedModel } from "../scripted/scripted-model.ts";
import { textDrafter } from "./text-drafter.ts";

/** Options of the drafters that know the model. */
export interface KnowingDrafterOptions {
  /** Default `oracle` or `wrong`. */
  readonly name?: string;
  /** Default 6. */
  readonly defaultLimit?: number;
  /** Draft the very tokens that plain decoding draws, at any temperature; only for verifiers that match draws. Default `false`. */
  readonly peeks?: boolean;
}

/**
 * A drafter that is always right at temperature 0: a chain of the tokens plain decoding takes. It drafts on behind end
 * tokens, as a drafter that knows no end does.
 */
export function oracleDrafter(
  model: ScriptedModel,
  { name = "oracle", defaultLimit, peeks = false }: KnowingDrafterOptions = {},
): Drafter {
  return textDrafter({
    name,
    defaultLimit,
    propose: (text, limit, { law, random }) =>
      follow(model, name, text, limit, law, (here, position) =>
        peeks ? here.draw(random.uniform(position, "token")) : here.mode(),
      ),
  });
}

/** A drafter that is always wrong at temperature 0: a chain of the least probable tokens. */
export function wrongDrafter(
  model: ScriptedModel,
  { name = "wrong", defaultLimit }: KnowingDrafterOptions = {},
): Drafter {
  return textDrafter({
    name,
    defaultLimit,
    propose: (text, limit) => {
      const path = [...text];
      for (let depth = 0; depth < limit; depth++)
        path.push(largest(model.logitsOf(path).map((logit) => -logit)));
      return TokenTree.chain(text.at(-1)!, path.slice(text.length), name);
    },
  });
}

/** Options of {@link randomDrafter}. */
export interface RandomDrafterOptions {
  readonly seed: number;
  readonly vocabularySize: number;
  /** Default `random`. */
  readonly name?: string;
  /** Default 6. */
  readonly defaultLimit?: number;
}

/** A drafter with a tree of random shape and tokens, always the same behind one text. */
export function randomDrafter({
  seed,
  vocabularySize,
  name = "random",
  defaultLimit,
}: RandomDrafterOptions): Drafter {
  return textDrafter({
    name,
    defaultLimit,
    propose: (text, limit) => {
      const tree = new TokenTree(text.at(-1)!);
      const hash = text.reduce(mix, mix(seed, text.length));
      for (let node = 0; node < limit; node++) {
        const parent = mix(hash, 2 * node) % (tree.size + 1);
        const token = mix(hash, 2 * node + 1) % vocabularySize;
        if (tree.child(parent, token) === undefined) tree.add(parent, token, "point", name);
      }
      return tree;
    },
  });
}

/** A drafter that never has an idea. */
export function silentDrafter(name = "silent"): Drafter {
  return textDrafter({ name, propose: (text) => new TokenTree(text.at(-1)!) });
}

/** A chain of tokens that `choose` takes from the target's own laws. */
function follow(
  model: ScriptedModel,
  name: string,
  text: readonly TokenId[],
  limit: number,
  law: LawState,
  choose: (law: TokenLaw, position: number) => TokenId,
): TokenTree {
  const ends = model.tokenizer?.endTokens ?? new Set<TokenId>();
  const path = [...text];
  let state: LawState | undefined = law;
  for (let depth = 0; depth < limit; depth++) {
    const logits = model.logitsOf(path);
    const token: TokenId = state === undefined ? largest(logits) : choose(state.lawOf(logits), path.length);
    path.push(token);
    // Behind an end token there is no law: processors are never called there.
    if (ends.has(token)) state = undefined;
    state = state?.advance(token);
  }
  return TokenTree.chain(text.at(-1)!, path.slice(text.length), name);
}
