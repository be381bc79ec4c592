import type { ChatMessage, Generation, PartJson, TokenId } from "@foretoken/core";
import type { WorkerModelInfo, WorkerStepEvent } from "@foretoken/runtime/worker";
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { SamplingSettings } from "./sampling-settings.ts";

/** What one target pass gave. The first of an answer is the end of the prompt's, which has no step. */
export interface Pass {
  readonly tokens: readonly TokenId[];
  /** What each of `tokens` added to the text. */
  readonly pieces: readonly string[];
  /** Which drafters proposed each of `tokens`; empty for the target's own. */
  readonly sources: readonly (readonly string[])[];
  readonly step: WorkerStepEvent | undefined;
}

/** Everything that was asked for in a run. */
export interface RunRequest {
  readonly messages: readonly ChatMessage[];
  readonly decoder: PartJson;
  readonly sampling: SamplingSettings;
}

/** How far a run is. */
export type RunStatus =
  | { readonly is: "waiting" }
  /** Prompt tokens in the cache, of all. */
  | { readonly is: "reading"; readonly loaded: number; readonly total: number }
  | { readonly is: "writing" }
  | { readonly is: "done"; readonly generation: Generation }
  | { readonly is: "failed"; readonly error: unknown };

/** One answer as it comes into being. */
export interface Run {
  /** The model that was asked, as it was then. */
  readonly model: WorkerModelInfo;
  readonly request: RunRequest;
  readonly passes: ReadonlySignal<readonly Pass[]>;
  readonly status: ReadonlySignal<RunStatus>;
}

/** A run that its maker can move on. */
export interface GrowingRun extends Run {
  readonly passes: Signal<readonly Pass[]>;
  readonly status: Signal<RunStatus>;
}

/** A run of which nothing is known yet. */
export function newRun(model: WorkerModelInfo, request: RunRequest): GrowingRun {
  return {
    model,
    request,
    passes: signal<readonly Pass[]>([]),
    status: signal<RunStatus>({ is: "waiting" }),
  };
}

/** The answer so far. */
export function textOf(run: Run): string {
  const status = run.status.value;
  if (status.is === "done") return status.generation.text;
  return run.passes.value.flatMap(({ pieces }) => pieces).join("");
}

/** Whether the run has come to its end, good or bad. */
export function isOver(run: Run): boolean {
  const { is } = run.status.value;
  return is === "done" || is === "failed";
}
