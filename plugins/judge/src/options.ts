import { part, type TokenId, type Verifier } from "@foretoken/core";
import { z } from "zod";
import type { JudgeHead } from "./judge-head.ts";
import type { Verdict } from "./verdict.ts";

/** Reads the options of a judge. */
export const optionsSchema = z.strictObject({
  verifier: part("verifier").optional().describe("The rule whose refusals are judged"),
  head: z
    .custom<JudgeHead | URL | string>((value) => isHead(value) || isFolder(value), {
      error: "expected a loaded judge, or the folder of one",
    })
    .optional()
    .describe("The folder of the judge; in JSON also its name among the resources"),
  control: z
    .enum(["divergence", "random"])
    .optional()
    .describe("A judge without training instead of a head, to compare with"),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Scores above it override a refusal; 1 is the inner rule; default the head's own"),
  consecutive: z.int().min(1).max(1024).default(4).describe("Overrides one behind the other at most"),
  protect: z
    .array(z.int().min(0))
    .default([])
    .describe("Tokens that are never accepted against the inner rule, besides end and control tokens"),
  judgeControlTokens: z
    .boolean()
    .default(false)
    .describe("Whether control tokens may be accepted; end tokens never are"),
  onVerdict: z
    .custom<(verdict: Verdict) => void>((value) => typeof value === "function", {
      error: "expected a function",
    })
    .optional()
    .describe("Called with every decision"),
});

/** Options of {@link judge}. */
export interface JudgeOptions {
  /** The rule whose refusals are judged; any that decides node by node. Default `drawAndMatch()`, right for chosen drafts; for drawn ones pass `rejection()`. */
  readonly verifier?: Verifier;
  /**
   * A judge trained on the target's own weights: loaded, or the folder that holds its `judge.json`, as an address or, in Node, a
   * path.
   */
  readonly head?: JudgeHead | URL | string;
  /**
   * Instead of a head, for comparison: `divergence` scores `e^−KL` of the draft's law from the target's, `random` keeps a share of
   * `1 − threshold`.
   */
  readonly control?: "divergence" | "random";
  /** `δ` in [0, 1]: a score above it overrides a refusal; at 1 this is the inner rule. Default the head's own; a control has none. */
  readonly threshold?: number;
  /** Overrides one behind the other at most, from 1; the next token is the inner rule's. Default 4. */
  readonly consecutive?: number;
  /** Tokens that are never accepted against the inner rule, besides the model's end and control tokens. */
  readonly protect?: readonly TokenId[];
  /** Whether control tokens may be accepted against the inner rule; end tokens never are. Default `false`. */
  readonly judgeControlTokens?: boolean;
  /** Called with every decision, for counts and curves. */
  readonly onVerdict?: (verdict: Verdict) => void;
}

// By shape: the judge may come from another copy of its package.
export function isHead(value: unknown): value is JudgeHead {
  return Array.isArray((value as JudgeHead | undefined)?.weight);
}

export function isFolder(value: unknown): value is URL | string {
  return value instanceof URL || (typeof value === "string" && value !== "");
}
