import { computed, signal } from "@preact/signals";
import { isOver, type Pass, type Run } from "../run/run.ts";

/** The run whose passes are looked at. */
export const inspectedRun = signal<Run | undefined>(undefined);

/** Index of the pass the user chose; `undefined` before that. */
const chosenPass = signal<number | undefined>(undefined);

/**
 * Index of the pass that is looked at: the chosen one; while the run goes on, the newest; then the one whose draft went
 * deepest.
 */
export const inspectedPass = computed<number | undefined>(() => {
  const run = inspectedRun.value;
  if (run === undefined) return undefined;
  const passes = run.passes.value;
  if (chosenPass.value !== undefined && chosenPass.value < passes.length) return chosenPass.value;
  if (passes.length === 0) return undefined;
  return isOver(run) ? deepest(passes) : passes.length - 1;
});

/** Looks at a run, and at one of its passes. */
export function inspect(run: Run | undefined, pass?: number): void {
  inspectedRun.value = run;
  chosenPass.value = pass;
}

function deepest(passes: readonly Pass[]): number {
  let best = 0;
  for (const [index, { step }] of passes.entries()) {
    if ((step?.accepted ?? -1) > (passes[best].step?.accepted ?? -1)) best = index;
  }
  return best;
}
