import type { Random, TokenId, TokenLaw, TokenTree, Verification } from "@foretoken/core";
import { expect } from "vitest";

/** Texts without a model's passes: laws come from a function of the text. */
export interface VerifiedTextInput {
  readonly verification: Verification;
  /** The target's law behind a text. */
  readonly lawBehind: (text: readonly TokenId[]) => TokenLaw;
  /** A tree behind a text; its root is the text's last token. */
  readonly draftBehind: (text: readonly TokenId[], random: Random) => Promise<TokenTree> | TokenTree;
  /** Ends with the root. */
  readonly prompt: readonly TokenId[];
  /** How many tokens. */
  readonly length: number;
  /** Tokens that end a text early. Default none. */
  readonly endTokens?: readonly TokenId[];
  readonly random: Random;
}

/** The first `length` tokens that rounds of drafting and verifying give, or fewer that end with an end token. */
export async function verifiedText(input: VerifiedTextInput): Promise<TokenId[]> {
  const { prompt, length, endTokens = [] } = input;
  const text = [...prompt];
  while (text.length < prompt.length + length) {
    await round(input, text);
    const end = text.findIndex((token, at) => at >= prompt.length && endTokens.includes(token));
    if (end !== -1) return text.slice(prompt.length, Math.min(end + 1, prompt.length + length));
  }
  return text.slice(prompt.length, prompt.length + length);
}

/** One walk, which appends its tokens to `text`. */
async function round(
  { verification, lawBehind, draftBehind, random }: VerifiedTextInput,
  text: TokenId[],
): Promise<void> {
  const tree = await draftBehind([...text], random);
  for (let node = 0; ; ) {
    const { trials } = tree.nodes[node]!;
    const here = lawBehind(text);
    const decision = await verification.visit({
      node,
      position: text.length,
      trials,
      random,
      law: async () => here,
      hidden: async () => new Float32Array(4),
    });
    if (decision.kind === "emit") {
      text.push(decision.token);
      return;
    }
    // An expectation here would cost more than the whole walk.
    if (!trials.includes(decision.trial)) expect.fail("The accepted trial is not one of those given.");
    text.push(decision.trial.token);
    node = decision.trial.child;
  }
}
