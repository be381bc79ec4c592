import type { GuaranteeLevel, PartJson } from "@foretoken/core";
import { computed, signal } from "@preact/signals";
import { FIRST_DECODER, playgroundRegistry } from "../parts.ts";
import type { SamplingSettings } from "../run/sampling-settings.ts";
import { type ShownError, shownError } from "./shown-error.ts";

/** The page's own copy of the parts, for the form and for early complaints. */
export const registry = playgroundRegistry();

/** How answers are decoded, as JSON. */
export const decoder = signal<PartJson>(FIRST_DECODER);

/** How tokens are drawn. */
export const sampling = signal<SamplingSettings>({ maxTokens: 200 });

/** What parts find in the worker; here nothing is run, so it is enough that it is there. */
const IN_THE_WORKER = { loadModel: () => Promise.reject(new Error("Models are loaded in the worker.")) };

/** What the chosen decoder promises, or why it cannot be built. */
export type DecoderVerdict =
  | { readonly name: string; readonly level: GuaranteeLevel; readonly reasons: readonly string[] }
  | { readonly error: ShownError };

/** Builds the chosen decoder to see whether it can be. */
export const verdict = computed<DecoderVerdict>(() => {
  try {
    const built = registry.compose("decoder", decoder.value, { resources: IN_THE_WORKER });
    return { name: built.name, ...built.guarantee() };
  } catch (error) {
    return { error: shownError(error) };
  }
});

/** All drafters there are, in the order that gives each its look. */
export const drafterNames: readonly string[] = registry
  .list()
  .filter(({ kind }) => kind === "drafter")
  .map(({ name }) => name);
