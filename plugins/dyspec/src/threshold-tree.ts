import { type Growth, ROOT_TIP, SiblingDraws, type Tip } from "@foretoken/drafting";

/** Where the layered tree ends. */
export interface ThresholdShape {
  /** `c`: the least probability that verification comes to a place where a token is drawn, above 0. */
  readonly threshold: number;
  /** Levels at most. */
  readonly maxDepth: number;
}

/**
 * The tree by layers: draws wherever verification is likely enough to come, until the node limit is reached. One draft pass a level.
 *
 * @see Xiong et al. 2024, Algorithm 2, https://arxiv.org/abs/2410.11744
 */
export async function growByThreshold(
  growth: Growth,
  { threshold, maxDepth }: ThresholdShape,
): Promise<void> {
  const { tree, limit } = growth;
  let level: readonly Tip[] = [ROOT_TIP];
  for (let depth = 0; depth < maxDepth; depth++) {
    const next: Tip[] = [];
    for (const siblings of await SiblingDraws.behind(growth, level.slice(0, limit - tree.size))) {
      while (siblings.mass >= threshold && tree.size < limit) next.push(siblings.draw());
    }
    level = next.filter(({ probability }) => probability >= threshold);
  }
}
