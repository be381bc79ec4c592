import type { TokenId } from "@foretoken/core";
import { partSchema } from "@foretoken/drafting";
import { z } from "zod";
import type { LexicalUnits } from "./lexical-units.ts";
import type { RepetitionRule } from "./repetition.ts";

/** A token that was kept without being verified, beside what the target would have said. */
export interface KeptToken {
  /** Index in the text. */
  readonly position: number;
  readonly token: TokenId;
  /** What the target's law draws there, behind the tokens that were kept before. */
  readonly targetToken: TokenId;
}

/** Options of {@link ludDraft}. */
export interface LudDraftOptions {
  /**
   * Paddings trained on the target's own weights: loaded with {@link loadLexicalUnits}, or the folder that holds their
   * `manifest.json`, as an address or, in Node, a path.
   */
  readonly head: LexicalUnits | URL | string;
  /** `k`: tokens of one pass at most, the target's own included, from 1. Default, and most, what the head was trained for. */
  readonly lookAhead?: number;
  /** `β`: a guess with less confidence ends the unit; above 1 none is sure enough. Default the head's own. */
  readonly threshold?: number;
  /** Which guesses end a unit because they repeat the token before. Default `"text"`. */
  readonly repetition?: RepetitionRule;
  /** Runs on weights that the head was not trained on, if they are of its width. Default `false`. */
  readonly allowUntrained?: boolean;
}

/** Options of {@link lud}. */
export interface LudOptions extends LudDraftOptions {
  /** Whether units are verified, so that the text is the target's own. Default `false`. */
  readonly verify?: boolean;
  /** Called with every token that is kept without being verified, for counts; costs the target's law of each. */
  readonly onKept?: (kept: KeptToken) => void;
}

/** Reads the options of the drafter. */
export const draftOptionsSchema = z.strictObject({
  head: partSchema<LexicalUnits>(),
  lookAhead: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe("Tokens of one pass at most, the target's own included; default and most the head's own"),
  threshold: z
    .number()
    .min(0)
    .optional()
    .describe("A guess with less confidence ends the unit; above 1 none is sure enough; default the head's"),
  repetition: z
    .enum(["text", "code", "off"])
    .default("text")
    .describe(
      "Which guesses end a unit because they repeat the token before; code lets spaces and signs repeat",
    ),
  allowUntrained: z.boolean().default(false).describe("Runs on weights that the head was not trained on"),
});

/** Reads the options of the decoder. */
export const optionsSchema = draftOptionsSchema.extend({
  verify: z
    .boolean()
    .default(false)
    .describe("Whether units are verified, so that the text is the target's own"),
  onKept: z
    .custom<(kept: KeptToken) => void>((value) => typeof value === "function", {
      error: "expected a function",
    })
    .optional()
    .describe("Called with every token that is kept without being verified"),
});

/** Options of the drafter that were read. */
export type ReadDraftOptions = z.output<typeof draftOptionsSchema>;
