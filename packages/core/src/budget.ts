import type { DecodeStep } from "./decoder.ts";
import type { Drafter } from "./drafter.ts";
import type { CostCurve } from "./model.ts";

/** What a budget may look at before a round. */
export interface BudgetContext {
  readonly drafters: readonly Drafter[];
  readonly cost: CostCurve;
  /** Rows in the cache. */
  readonly context: number;
  /** Most nodes that any tree may have, at least 1: positions left in the context, or with the same layers. */
  readonly room: number;
}

/** A budget's state for one sequence. */
export interface Budgeting {
  /** Node limits `[drafters]` for the next round, fixed before anything is drawn; 0 switches a drafter off for it. */
  split(context: BudgetContext): readonly number[];
  /** Learns what a round gave. */
  observe(step: DecodeStep): void;
  fork(): Budgeting;
}

/** How many nodes each drafter may propose. */
export interface Budget {
  readonly name: string;
  start(): Budgeting;
}
