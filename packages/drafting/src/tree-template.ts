import { DecodingError } from "@foretoken/core";

/** A place in a template: which candidate of which parent. */
export interface TemplateNode {
  /** Index of the parent, always smaller than the node's own; -1 for the root. */
  readonly parent: number;
  /** Which candidate of the parent's token, 0 for the best. */
  readonly rank: number;
  /** 0 for the root. */
  readonly depth: number;
}

/**
 * The shape of a tree whose tokens come from a table. Node 0 is the root; nodes stand level by level, siblings by rank,
 * ranks of siblings are `0, 1, 2, …`.
 */
export type TreeTemplate = readonly TemplateNode[];

/**
 * Child counts of the published template "2.2.2": 80 nodes behind the root, on levels of 8, 21, 25, 15, 8 and 3.
 *
 * @see Luo et al. 2024, "Turning Trash into Treasure", https://arxiv.org/abs/2408.08696; file `tree_template_.py` of its code
 */
export const TEMPLATE_2_2_2: readonly (readonly number[])[] = [
  [8],
  [8, 4, 3, 2, 1, 1, 1, 1],
  [8, 3, 2, 1, 1, 1, 1, 1, 2, 1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0],
  [5, 2, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0],
  [3, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0],
  [2, 0, 0, 1, 0, 0, 0, 0],
];

/**
 * Builds a template from the number of children of every node.
 *
 * @param childCounts - For each level, from the root's on, the counts of its nodes in order. Nodes of the level behind the
 * last one have no children.
 * @throws `INVALID_OPTION` where a level has not one count for each node, or a count is no whole number of at least 0.
 */
export function treeTemplate(childCounts: readonly (readonly number[])[]): TreeTemplate {
  const nodes: TemplateNode[] = [{ parent: -1, rank: 0, depth: 0 }];
  let levelStart = 0;
  for (const [depth, counts] of childCounts.entries()) {
    const levelEnd = nodes.length;
    if (counts.length !== levelEnd - levelStart) {
      throw new DecodingError("INVALID_OPTION", {
        message: `Level ${depth} of a tree template has ${counts.length} child counts for ${levelEnd - levelStart} nodes.`,
        fix: "Give each level one count for every child that the level before it counts.",
      });
    }
    counts.forEach((count, index) => {
      if (!Number.isInteger(count) || count < 0) {
        throw new DecodingError("INVALID_OPTION", {
          message: `Level ${depth} of a tree template has the child count ${count}.`,
          fix: "Use whole numbers of at least 0.",
        });
      }
      for (let rank = 0; rank < count; rank++) {
        nodes.push({ parent: levelStart + index, rank, depth: depth + 1 });
      }
    });
    levelStart = levelEnd;
  }
  return nodes;
}

/** Candidates a table must keep for each token so that all of `template` can be filled. */
export const candidatesNeeded = (template: TreeTemplate): number =>
  Math.max(0, ...template.map(({ rank, depth }) => (depth === 0 ? 0 : rank + 1)));

/**
 * The best part of a template with at most `limit` nodes behind the root, best first: the first `n` are the best part of `n`.
 *
 * Templates are grown from counts of accepted places, so a place was worth more the more places were kept behind it:
 * those with most descendants stay, the shallower first among equals, then the earlier. A parent has more descendants
 * than its child, so what stays is a tree.
 */
export function cutTemplate(template: TreeTemplate, limit: number): TreeTemplate {
  const descendants = new Array<number>(template.length).fill(0);
  for (let node = template.length - 1; node > 0; node--) {
    descendants[template[node]!.parent]! += descendants[node]! + 1;
  }
  const byWorth = template
    .map((_, node) => node)
    .slice(1)
    .sort((a, b) => descendants[b]! - descendants[a]! || template[a]!.depth - template[b]!.depth || a - b);
  const kept = [0, ...byWorth.slice(0, limit)];
  const places = new Map(kept.map((node, place) => [node, place]));
  return kept.map((node) => ({ ...template[node]!, parent: places.get(template[node]!.parent) ?? -1 }));
}
