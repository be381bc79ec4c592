import {
  denseLaw,
  pointLaw,
  type Random,
  seededRandom,
  type TokenId,
  type TokenLaw,
  TokenTree,
  type VisitedNode,
} from "@foretoken/core";

/** A node as a verifier meets it, written down. */
export interface VisitedNodeScript {
  /** Probabilities `[V]` of the next token at temperature 1. */
  readonly law: readonly number[];
  /** Whether the target decodes greedily. Default `true`. */
  readonly isGreedy?: boolean;
  /** What is drafted behind the node, in order; chosen unless it comes with its law. */
  readonly drafts: readonly (TokenId | { readonly token: TokenId; readonly proposal: TokenLaw })[];
  /** The first value of the state at each draft's own row; the others are 0. */
  readonly states?: readonly number[];
  /** Index in the tree; default 0, the root. */
  readonly node?: number;
  readonly position?: number;
  readonly random?: Random;
  /** Gets every site that is read. */
  readonly sites?: unknown[];
}

/** Makes the node: child `i` is node `i + 1` of its tree. */
export function visitedNode(script: VisitedNodeScript): VisitedNode {
  const { law, isGreedy = true, drafts, states = [], node = 0, position = 1, sites } = script;
  const tree = new TokenTree(0);
  for (const draft of drafts) {
    if (typeof draft === "number") tree.add(0, draft, "point", "chosen");
    else tree.add(0, draft.token, draft.proposal, "drawn");
  }
  const open = denseLaw(Float64Array.from(law));
  return {
    node,
    position,
    trials: tree.nodes[0].trials,
    random: script.random ?? seededRandom(1),
    law: async (warp) => (warp === undefined && isGreedy ? pointLaw(open.mode(), law.length) : open),
    hidden: async (site, child) => {
      sites?.push(site);
      return Float32Array.of(states[child - 1], 0, 0, 0);
    },
  };
}
