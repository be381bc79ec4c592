import type { Choice } from "./choice.ts";
import type { QualityTask } from "./task.ts";

/** A family of tasks. */
export interface TaskMaker {
  readonly group: string;
  /** Questions and answers that stand in front of every question of the family. */
  readonly shots: readonly (readonly [question: string, answer: string])[];
  make(choice: Choice): { readonly question: string; readonly score: QualityTask["score"] };
}
