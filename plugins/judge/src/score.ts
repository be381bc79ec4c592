import type { Trial, VisitedNode } from "@foretoken/core";

/** How likely it is that a refused draft is right, in [0, 1]; NaN keeps it refused. */
export type Score = (node: VisitedNode, trial: Trial) => Promise<number> | number;
