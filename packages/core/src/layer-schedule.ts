import type { Guarantee } from "./guarantee.ts";
import type { Model } from "./model.ts";
import type { LayerSet } from "./session.ts";

/** Chooses which layers of the target run at which position of an answer. Holds options only. */
export interface LayerSchedule {
  readonly name: string;
  guarantee(): Guarantee;
  /** Sentences about why it cannot run on `model`. */
  unsupported?(model: Model): readonly string[];
  /** The layers of one answer. @param promptTokens - Tokens of the whole prompt, cached ones included. */
  plan(model: Model, promptTokens: number): LayerPlan;
}

/**
 * Which layers run where, from the first prompt token on. Sets only shrink as positions grow, so that a row is never seen by a
 * pass with a layer it lacks.
 */
export interface LayerPlan {
  /** The layers at `position`, `undefined` for all. */
  layersAt(position: number): LayerSet | undefined;
  /** The first position behind `position` with another set, `Infinity` when none: chunks and trees are cut there. */
  nextChange(position: number): number;
}
