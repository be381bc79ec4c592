import type { DecodeStep } from "./decoder.ts";
import type { Drafter } from "./drafter.ts";
import type { Model } from "./model.ts";
import type { TokenTree } from "./token-tree.ts";

/** What a budget may look at before a round. */
export interface BudgetContext {
  readonly drafters: readonly Drafter[];
  /** The target; its `cost` prices rows. */
  readonly model: Model;
  /** Rows in the cache. */
  readonly context: number;
  /** Most nodes that any tree may have, at least 1: positions left in the context, or with the same layers. */
  readonly room: number;
  /** Whether a clock may decide: not where trees decide which random numbers are used, or a seed would not give its text again. */
  readonly mayTime: boolean;
}

/** A budget's state for one sequence. */
export interface Budgeting {
  /** Node limits `[drafters]` for the next round, fixed before anything is drawn; 0 switches a drafter off for it. */
  split(context: BudgetContext): readonly number[];
  /**
   * How many of its first nodes each drafted tree keeps, now that one sees what was drafted; `[drafters]`, and `undefined`
   * where nothing was asked. Trees that were drawn are kept whole whatever it says: to drop a drawn node changes the law.
   * Left out: all nodes.
   */
  trim?(trees: readonly (TokenTree | undefined)[], context: BudgetContext): readonly number[];
  /** Learns what a round gave. */
  observe(step: DecodeStep): void;
  /** Sentences about what it chose and why, for the report. */
  explain?(): readonly string[];
  fork(): Budgeting;
}

/** How many nodes each drafter may propose. */
export interface Budget {
  readonly name: string;
  start(): Budgeting;
}
