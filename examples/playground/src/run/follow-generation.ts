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
  /** Passes whose tokens are not shown yet; a decoder that tries several continuations tells of many before one chunk. */
  let steps: WorkerStepEvent[] = [];
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
    // Passes of a continuation that was dropped have no tokens to show.
    if (event.type === "step" && event.tokens.length > 0) steps.push(event);
    if (event.type === "chunk" && event.tokens.length > 0) {
      passes.push(...passesOf(event, steps));
      steps = [];
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

type Chunk = Extract<WorkerEvent, { readonly type: "chunk" }>;

/** Deals a chunk's tokens out to the passes that made them; the first chunk, which no step tells of, is one pass. */
function passesOf({ tokens, pieces, sources }: Chunk, steps: readonly WorkerStepEvent[]): Pass[] {
  if (steps.length === 0) return [{ tokens, pieces, sources, step: undefined }];
  let from = 0;
  return steps.map((step) => {
    const to = from + step.tokens.length;
    const pass = {
      tokens: tokens.slice(from, to),
      pieces: pieces.slice(from, to),
      sources: sources.slice(from, to),
      step,
    };
    from = to;
    return pass;
  });
}
