import type { Budget } from "./budget.ts";
import type { Decoder } from "./decoder.ts";
import type { DraftSource } from "./draft-source.ts";
import type { Drafter } from "./drafter.ts";
import type { LayerSchedule } from "./layer-schedule.ts";
import type { LogitsProcessor } from "./logits-processor.ts";
import type { Tool } from "./tool.ts";
import type { Verifier } from "./verifier.ts";

/** The parts a plugin may offer, by kind. */
export interface PartByKind {
  decoder: Decoder;
  drafter: Drafter;
  source: DraftSource;
  verifier: Verifier;
  schedule: LayerSchedule;
  processor: LogitsProcessor;
  budget: Budget;
  tool: Tool;
}

/** What a part is for. */
export type PartKind = keyof PartByKind;

/** Any part. */
export type Part = PartByKind[PartKind];

/** All kinds. */
export const PART_KINDS: readonly PartKind[] = [
  "decoder",
  "drafter",
  "source",
  "verifier",
  "schedule",
  "processor",
  "budget",
  "tool",
];

/**
 * The kind of a built part, or `undefined` when `value` is none. Goes by shape: the part may come from another copy of
 * this package.
 */
export function kindOfPart(value: unknown): PartKind | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const has = (member: string) => typeof (value as Record<string, unknown>)[member] === "function";
  if (has("plan")) return "schedule";
  if (has("apply") && has("advance")) return "processor";
  if (has("run")) return "tool";
  if (!has("start")) return undefined;
  if ("proposal" in value) return "drafter";
  if (has("guarantee")) return has("unsupported") ? "decoder" : "verifier";
  return has("requirements") ? "source" : "budget";
}
