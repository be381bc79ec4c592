import type { Guarantee } from "./guarantee.ts";
import type { Model } from "./model.ts";
import type { LayerSet } from "./session.ts";

/**
 * Which layers run at which position. Sets only shrink as positions grow, so that a row is never seen by a pass with a
 * layer it lacks.
 */
export interface LayerSchedule {
  readonly name: string;
  guarantee(): Guarantee;
  /** Sentences about why it cannot run on `model`. */
  unsupported?(model: Model): readonly string[];
  /** The layers at `position`, `undefined` for all. */
  layersAt(model: Model, position: number): LayerSet | undefined;
  /** The first position behind `position` with another set, `Infinity` when none: trees are cut there. */
  nextChange(model: Model, position: number): number;
}
