import { type TokenId, TokenTree } from "@foretoken/core";
import type { TokenTable } from "./token-table.ts";
import type { TreeTemplate } from "./tree-template.ts";

/**
 * Fills a template from a table: a place gets the candidate of its rank behind its parent's token. Places whose candidate
 * is unknown are left out, with all behind them.
 *
 * @param source - Name of the drafter.
 * @param depth - Levels at most.
 */
export function tableTree(
  root: TokenId,
  table: TokenTable,
  template: TreeTemplate,
  source: string,
  depth = Number.POSITIVE_INFINITY,
): TokenTree {
  const tree = new TokenTree(root);
  /** For each place of the template its node in the tree, where it has one. */
  const nodes: (number | undefined)[] = [0];
  for (const { parent, rank, depth: level } of template.slice(1)) {
    const above = level > depth ? undefined : nodes[parent];
    const token = above === undefined ? undefined : table.candidate(tree.nodes[above]!.token, rank);
    nodes.push(token === undefined ? undefined : tree.add(above!, token, "point", source));
  }
  return tree;
}
