import type { WeightDtype } from "@foretoken/runtime";
import { createWorkerModel, type WorkerModel, type WorkerModelInfo } from "@foretoken/runtime/worker";
import { signal } from "@preact/signals";
import { type ShownError, shownError } from "./shown-error.ts";

/** How far a load is: bytes, with a total of 0 while nobody knows. */
export interface LoadStage {
  readonly phase: string;
  readonly loaded: number;
  readonly total: number;
}

/** The one model of the page. */
export type ModelState =
  | { readonly is: "none"; readonly error?: ShownError }
  | { readonly is: "loading"; readonly name: string; readonly stage: LoadStage; readonly cancel: () => void }
  | {
      readonly is: "ready";
      readonly name: string;
      readonly model: WorkerModel;
    };

/** What the user may decide about loading; `auto` leaves it to the runtime. */
export interface LoadChoice {
  readonly device: NonNullable<Parameters<typeof createWorkerModel>[1]["device"]>;
  readonly dtype: WeightDtype | "auto";
}

/** The page's model. */
export const modelState = signal<ModelState>({ is: "none" });
/** What is known about it; calibrating changes it. */
export const modelInfo = signal<WorkerModelInfo | undefined>(undefined);
/** What loading warned of. */
export const warnings = signal<readonly string[]>([]);
export const loadChoice = signal<LoadChoice>({ device: "auto", dtype: "auto" });

/** Loads a model in a worker of its own, in place of the one before. Failures become the state. */
export async function load(source: string | Blob, name: string): Promise<void> {
  await unload();
  const aborter = new AbortController();
  const cancel = () => aborter.abort();
  const show = (stage: LoadStage) => {
    if (!aborter.signal.aborted) modelState.value = { is: "loading", name, stage, cancel };
  };
  show({ phase: "start", loaded: 0, total: 0 });
  warnings.value = [];
  const { device, dtype } = loadChoice.value;
  const worker = new Worker(new URL("../model-worker.ts", import.meta.url), {
    type: "module",
    name: "model",
  });
  try {
    const model = await createWorkerModel(worker, {
      source,
      device,
      dtype: dtype === "auto" ? undefined : dtype,
      signal: aborter.signal,
      onProgress: show,
      onWarning: (sentence) => {
        warnings.value = [...warnings.value, sentence];
      },
    });
    modelInfo.value = model.info;
    modelState.value = { is: "ready", name, model };
  } catch (error) {
    worker.terminate();
    modelState.value = aborter.signal.aborted ? { is: "none" } : { is: "none", error: shownError(error) };
  }
}

/** Frees the model and its worker, if there is one. */
export async function unload(): Promise<void> {
  const state = modelState.value;
  if (state.is === "loading") state.cancel();
  if (state.is !== "ready") return;
  modelState.value = { is: "none" };
  modelInfo.value = undefined;
  await state.model.dispose();
}

/** Takes a model away that is no more: its worker was ended, or its device is lost. */
export function giveUp(error: unknown): void {
  modelInfo.value = undefined;
  modelState.value = { is: "none", error: shownError(error) };
}
