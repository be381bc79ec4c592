import type { Budget, Budgeting } from "./budget.ts";
import { DecodingError } from "./errors.ts";

/** Options of {@link fixedBudget}. */
export interface FixedBudgetOptions {
  /** Most nodes for each drafter, in order; a number stands for all of them. Default: what each drafter prefers. */
  readonly nodes?: number | readonly number[];
}

/** The same node limits every round. */
export function fixedBudget({ nodes }: FixedBudgetOptions = {}): Budget {
  for (const limit of [nodes ?? []].flat()) {
    if (!Number.isInteger(limit) || limit < 0) {
      throw new DecodingError("INVALID_OPTION", {
        message: `nodes is ${limit}, but must be a whole number of at least 0.`,
        fix: "Pass 0 to switch a drafter off, or leave nodes out for the drafter's own preference.",
      });
    }
  }
  const budgeting: Budgeting = {
    split: ({ drafters, room }) =>
      drafters.map((drafter, index) => {
        const wanted = typeof nodes === "number" ? nodes : (nodes?.[index] ?? drafter.defaultLimit);
        return Math.max(0, Math.min(wanted, room));
      }),
    observe: () => {},
    fork: () => budgeting,
  };
  return { name: "fixed", start: () => budgeting };
}
