import { type TokenId, TokenTree } from "@foretoken/core";
import { type SuccessorRow, successorChance } from "@foretoken/drafting";
import type { PuctSearch, SuccessorsOf } from "./puct-search.ts";

/** Options of {@link searchedTree}. */
export interface SearchedTreeOptions {
  /** Name of the drafter. */
  readonly source: string;
  /** Nodes at most. */
  readonly limit: number;
  /** Levels at most. */
  readonly depth: number;
  /** `K`: the most visited paths that become drafts. */
  readonly sentences: number;
  readonly endTokens: ReadonlySet<TokenId>;
  /** What was searched. */
  readonly successors: SuccessorsOf;
}

/**
 * The most visited paths of a search as a draft tree, most visited first, each with the likeliest token behind it.
 *
 * @param before - The token before the root.
 */
export function searchedTree(
  search: PuctSearch,
  before: TokenId | undefined,
  { source, limit, depth, sentences, endTokens, successors }: SearchedTreeOptions,
): TokenTree {
  const tree = new TokenTree(search.node(0).token);
  const rowOf = (node: number): SuccessorRow | undefined => {
    const { token, parent } = tree.nodes[node]!;
    if (node > 0 && endTokens.has(token)) return undefined;
    return successors(node === 0 ? before : tree.nodes[parent]!.token, token);
  };
  /** @returns The node of the tree, or `undefined` where there is no place for it. */
  const insert = (parent: number, token: TokenId): number | undefined => {
    const known = tree.child(parent, token);
    if (known !== undefined) return known;
    const row = rowOf(parent);
    if (row === undefined || tree.size === limit || tree.nodes[parent]!.depth === depth) return undefined;
    const above = parent === 0 ? 1 : tree.nodes[parent]!.chance!;
    return tree.add(parent, token, "point", source, above * successorChance(row, row.ids.indexOf(token)));
  };

  const places = new Map([[0, 0]]);
  for (const found of search.byVisits().slice(0, sentences)) {
    const { token, parent } = search.node(found);
    const above = places.get(parent);
    const place = above === undefined ? undefined : insert(above, token);
    if (place === undefined) continue;
    places.set(found, place);
    const next = rowOf(place)?.ids[0];
    if (next !== undefined) insert(place, next);
  }
  return tree;
}
