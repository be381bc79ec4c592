import { isBusy } from "./conversation.ts";
import { modelInfo, modelState } from "./model.ts";

/** Measures what passes cost on this machine; nothing else runs meanwhile. Rejects with what the worker says. */
export async function calibrate(): Promise<void> {
  const state = modelState.value;
  if (state.is !== "ready" || isBusy.value) return;
  isBusy.value = true;
  try {
    await state.model.calibrate();
    modelInfo.value = state.model.info;
  } finally {
    isBusy.value = false;
  }
}
