import type { WorkerEvent, WorkerGeneration, WorkerStepEvent } from "@foretoken/runtime/worker";
import { batch } from "@preact/signals";
import type { GrowingRun, Pass, RunStatus } from "./run.ts";

/** The page is told of news at most this often, so that drawing them never becomes the work. */
const NEWS_EVERY_MS = 40;

/**
 * Moves `run` on with what a worker tells, until the generation ends.
 *
 * @returns When the run is over; a failure becomes the run's status and is not thrown.
 */
export async function followGeneration(run: GrowingRun, generation: WorkerGeneration): Promise<void> {
  let passes: Pass[] = [];
  let status: RunStatus = run.status.value;
  let step: WorkerStepEvent | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = () => {
    clearTimeout(timer);
    timer = undefined;
    batch(() => {
      if (passes.length > 0) run.passes.value = [...run.passes.value, ...passes];
      run.status.value = status;
    });
    passes = [];
  };
  const take = (event: WorkerEvent): void => {
    if (event.type === "prefill") status = { is: "reading", loaded: event.loaded, total: event.total };
    if (event.type === "step") step = event;
    if (event.type === "chunk" && event.tokens.length > 0) {
      const { tokens, pieces, sources } = event;
      passes.push({ tokens, pieces, sources, step });
      step = undefined;
      status = { is: "writing" };
    }
    if (event.type === "result") status = { is: "done", generation: event.generation };
  };
  try {
    for await (const event of generation) {
      take(event);
      timer ??= setTimeout(show, NEWS_EVERY_MS);
    }
  } catch (error) {
    status = { is: "failed", error };
  }
  show();
}
