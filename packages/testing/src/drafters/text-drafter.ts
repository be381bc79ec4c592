import type { DraftContext, Drafter, Drafting, ProposeContext, TokenId, TokenTree } from "@foretoken/core";

/** What makes a drafter out of a function of the text. */
export interface TextDrafterOptions {
  readonly name: string;
  /** Default `deterministic`. */
  readonly proposal?: Drafter["proposal"];
  /** Default 6. */
  readonly defaultLimit?: number;
  /**
   * The tree behind a text.
   * @param text - The session's tokens and the root.
   * @param limit - Most nodes, at least 1.
   */
  propose(text: readonly TokenId[], limit: number, context: ProposeContext): TokenTree;
}

/** A drafter without memory: it reads the text anew every round. */
export function textDrafter({
  name,
  proposal = "deterministic",
  defaultLimit = 6,
  propose,
}: TextDrafterOptions): Drafter {
  const drafting = (session: DraftContext["session"]): Drafting => ({
    propose: (root, limit, context) => propose([...session.tokens, root], limit, context),
    observe: () => {},
    fork: drafting,
    truncate: () => {},
    dispose: () => {},
  });
  return {
    name,
    proposal,
    defaultLimit,
    requirements: () => ({}),
    start: ({ session }) => drafting(session),
  };
}
