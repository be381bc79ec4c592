/**
 * What a decoder promises about its text, relative to plain decoding of the same weights and schedule:
 * `identical`: the same seed gives the same tokens, up to the numerical noise of the dtype; `distribution`: the same
 * law, and the same tokens at temperature 0; `altered`: another text on purpose.
 */
export type GuaranteeLevel = "identical" | "distribution" | "altered";

/** A promise and where it comes from. */
export interface Guarantee {
  readonly level: GuaranteeLevel;
  /** One sentence for each part that has a say. */
  readonly reasons: readonly string[];
}

const STRENGTH: readonly GuaranteeLevel[] = ["altered", "distribution", "identical"];

/** The promise of parts together: the weakest of theirs. */
export function guaranteeOf(parts: readonly Guarantee[]): Guarantee {
  const weakest = Math.min(...parts.map((part) => STRENGTH.indexOf(part.level)), STRENGTH.length - 1);
  return { level: STRENGTH[weakest]!, reasons: parts.flatMap((part) => part.reasons) };
}
