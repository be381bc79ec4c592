import { type Growth, ROOT_TIP, SiblingDraws, type Tip } from "@foretoken/drafting";

/** Where the greedy tree ends, and how it is computed. */
export interface GreedyShape {
  /** Levels at most. */
  readonly maxDepth: number;
  /** Nodes of one draft pass at most, at least 1. */
  readonly batch: number;
}

/** A place where one more token may be drawn: the next child of `tip`. */
interface Slot {
  readonly tip: Tip;
  /** Probability that verification comes here, if the target were the draft. */
  readonly mass: number;
}

/**
 * The greedy tree: draws where verification is most likely to come, again and again, until the node limit is reached.
 *
 * The draft runs behind a node only when a child is to be drawn there. The same pass runs behind the likeliest of the other nodes
 * that still need it: this changes how many passes there are, never the tree.
 *
 * @see Xiong et al. 2024, Algorithm 1, https://arxiv.org/abs/2410.11744
 */
export async function growGreedily(growth: Growth, { maxDepth, batch }: GreedyShape): Promise<void> {
  const { tree, limit } = growth;
  const slots: Slot[] = [{ tip: ROOT_TIP, mass: 1 }];
  const known = new Map<number, SiblingDraws>();

  const run = async (tip: Tip): Promise<SiblingDraws> => {
    // The slot at rank r is not reached unless r others are filled before.
    const inReach = slots.slice(0, limit - tree.size - 1);
    const others = inReach.map((slot) => slot.tip).filter(({ node }) => !known.has(node));
    for (const siblings of await SiblingDraws.behind(growth, [tip, ...others.slice(0, batch - 1)])) {
      known.set(siblings.tip.node, siblings);
    }
    return known.get(tip.node)!;
  };

  for (let slot = slots.shift(); slot !== undefined && tree.size < limit; slot = slots.shift()) {
    const { tip } = slot;
    const siblings = known.get(tip.node) ?? (await run(tip));
    if (siblings.mass === 0) continue;
    const child = siblings.draw();
    insert(slots, { tip, mass: siblings.mass });
    if (tree.nodes[child.node]!.depth < maxDepth) insert(slots, { tip: child, mass: child.probability });
  }
}

/** Keeps slots in descending order of mass, the older one first among equals; one without mass is never filled. */
function insert(slots: Slot[], slot: Slot): void {
  if (slot.mass === 0) return;
  const at = slots.findIndex((other) => other.mass < slot.mass);
  slots.splice(at === -1 ? slots.length : at, 0, slot);
}
