import { type TokenId, TokenTree } from "@foretoken/core";
import { type SuccessorRow, successorChance } from "./successor-table.ts";

/** Options of {@link bestFirstTree}. */
export interface BestFirstOptions {
  /** Name of the drafter. */
  readonly source: string;
  /** Nodes at most. */
  readonly limit: number;
  /** Levels at most. */
  readonly depth: number;
  /** Children of a node at most, by its depth; default no limit. */
  readonly widths?: readonly number[];
  /** Tokens behind which nothing follows. */
  readonly endTokens: ReadonlySet<TokenId>;
  /**
   * What may follow a node.
   * @param before - The token before it, `undefined` where the text has none.
   */
  successors(before: TokenId | undefined, token: TokenId): SuccessorRow | undefined;
}

/** The next child of a node that may be drafted. */
interface Candidate {
  readonly parent: number;
  readonly row: SuccessorRow;
  readonly rank: number;
  /** Of the whole path down to it. */
  readonly chance: number;
}

/**
 * The tree of the likeliest paths, likeliest node first, so that every beginning of its nodes is the best tree of that size:
 * after each node, its best child and its next sibling become candidates. Among equals, what was a candidate first.
 *
 * @param before - The token before the root.
 */
export function bestFirstTree(
  before: TokenId | undefined,
  root: TokenId,
  { source, limit, depth, widths, endTokens, successors }: BestFirstOptions,
): TokenTree {
  const tree = new TokenTree(root);
  const candidates: Candidate[] = [];
  const offer = (parent: number, row: SuccessorRow, rank: number, above: number): void => {
    const width = widths?.[tree.nodes[parent]!.depth] ?? Number.POSITIVE_INFINITY;
    if (rank >= row.ids.length || rank >= width) return;
    candidates.push({ parent, row, rank, chance: above * successorChance(row, rank) });
  };
  const open = (node: number, above: number): void => {
    const { token, parent, depth: level } = tree.nodes[node]!;
    if (level >= depth || (node > 0 && endTokens.has(token))) return;
    const row = successors(node === 0 ? before : tree.nodes[parent]!.token, token);
    if (row !== undefined) offer(node, row, 0, above);
  };

  open(0, 1);
  while (tree.size < limit && candidates.length > 0) {
    const next = takeLikeliest(candidates);
    const { parent, row, rank } = next;
    const node = tree.add(parent, row.ids[rank]!, "point", source, next.chance);
    offer(parent, row, rank + 1, parent === 0 ? 1 : tree.nodes[parent]!.chance!);
    open(node, next.chance);
  }
  return tree;
}

/** Never more than two for each node: a scan is as quick as a heap. */
function takeLikeliest(candidates: Candidate[]): Candidate {
  let best = 0;
  for (let index = 1; index < candidates.length; index++) {
    if (candidates[index]!.chance > candidates[best]!.chance) best = index;
  }
  return candidates.splice(best, 1)[0]!;
}
