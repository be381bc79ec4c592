import { z } from "zod";

/** Reads the options of typical acceptance. */
export const optionsSchema = z.strictObject({
  epsilon: z
    .number()
    .min(0)
    .max(1)
    .default(0.09)
    .describe("A token with more probability is typical; 0 makes every possible token typical"),
  alpha: z
    .number()
    .min(0)
    .lt(1)
    .default(0.3)
    .describe("A token with more than this share of e^-entropy is typical"),
  mode: z
    .enum(["greedy", "typical"])
    .default("greedy")
    .describe("Keep the likeliest typical draft, or the one that is drawn from the typical tokens"),
});

/** Options of {@link typicalAcceptance}. */
export interface TypicalAcceptanceOptions {
  /** `ε` in [0, 1]: a token with more probability is typical, whatever the entropy. Default 0.09. */
  readonly epsilon?: number;
  /** `α` in [0, 1), factor of `e^−H`: below 1 the likeliest token is always typical. Default 0.3. */
  readonly alpha?: number;
  /**
   * `"greedy"`, the default: the likeliest typical draft is kept, and where there is none the target's likeliest token follows.
   * `"typical"`: the next token is drawn from the typical ones, and a draft is kept if it is the one.
   */
  readonly mode?: "greedy" | "typical";
}
