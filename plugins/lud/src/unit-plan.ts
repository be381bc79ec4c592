import { type TokenId, TokenTree } from "@foretoken/core";
import type { ProbePlan } from "@foretoken/drafting";
import type { Repeats } from "./repetition.ts";

/** Options of {@link unitPlan}. */
export interface UnitPlanOptions {
  /** Name of the drafter. */
  readonly source: string;
  /** Paddings of a chain, `k - 1`. */
  readonly paddings: number;
  /** `β` */
  readonly threshold: number;
  readonly repeats: Repeats;
  /** Tokens behind which nothing follows. */
  readonly endTokens: ReadonlySet<TokenId>;
  /** Where paddings hang: under every node of the drafter's own, any of which may be the last accepted, or under the last node alone. */
  readonly under: "own" | "last";
}

/** Drafts the chain of likeliest guesses, as far as each is sure enough, repeats nothing, and follows no end token. */
export function unitPlan({
  source,
  paddings,
  threshold,
  repeats,
  endTokens,
  under,
}: UnitPlanOptions): ProbePlan {
  return {
    tree(root, guesses, { nodes, depth }) {
      const tree = new TokenTree(root);
      let before = root;
      let chance = 1;
      for (const { ids, logProbabilities } of guesses.slice(0, Math.min(nodes, depth))) {
        const token = ids[0];
        const confidence = Math.exp(logProbabilities[0]);
        if (confidence < threshold || repeats(token, before) || endTokens.has(before)) break;
        chance *= confidence;
        tree.add(tree.size, token, "point", source, chance);
        before = token;
      }
      return tree;
    },
    chains: (tree) =>
      tree.nodes.map(({ token, sources }, node) => {
        const isAsked = under === "last" ? node === tree.size : node === 0 || sources.includes(source);
        return isAsked && (node === 0 || !endTokens.has(token)) ? paddings : 0;
      }),
    mostProbes: (nodes) => paddings * (under === "last" ? 1 : 1 + nodes),
  };
}
