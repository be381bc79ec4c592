import { type Growth, ROOT_TIP, SiblingDraws, type Tip } from "@foretoken/drafting";

/**
 * RSD-C: every node of a level gets as many children, drawn without replacement, or as many as its law has tokens. One draft pass
 * a level. Where the node limit ends a level early, the nodes drawn first have got theirs.
 *
 * @param branching - Children of a node by level `[L]`, each at least 1.
 * @see Jeon et al. 2024, RSD-C, https://arxiv.org/abs/2402.14160
 */
export async function growConstantBranching(growth: Growth, branching: readonly number[]): Promise<void> {
  const { tree, limit } = growth;
  let level: readonly Tip[] = [ROOT_TIP];
  for (const width of branching) {
    const next: Tip[] = [];
    for (const siblings of await SiblingDraws.behind(growth, level.slice(0, limit - tree.size))) {
      for (let child = 0; child < width && siblings.mass > 0 && tree.size < limit; child++) {
        next.push(siblings.draw());
      }
    }
    level = next;
  }
}

/** Nodes of a full tree, the root not counted. */
export function branchingNodes(branching: readonly number[]): number {
  let level = 1;
  let nodes = 0;
  for (const width of branching) {
    level *= width;
    nodes += level;
  }
  return nodes;
}
