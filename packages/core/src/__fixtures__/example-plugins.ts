import { z } from "zod";
import type { Drafter } from "../drafter.ts";
import type { LayerSchedule } from "../layer-schedule.ts";
import { part } from "../part-schema.ts";
import { definePlugin } from "../plugin.ts";
import { TokenTree } from "../token-tree.ts";
import type { Verifier } from "../verifier.ts";

/** Drafts the root again, `length` times. */
export function repeatLast({ length }: { readonly length: number }): Drafter {
  return {
    name: "repeat-last",
    proposal: "deterministic",
    defaultLimit: length,
    requirements: () => ({}),
    start: () => {
      const drafting = {
        propose: (root: number, limit: number) =>
          TokenTree.chain(root, Array(Math.min(length, limit)).fill(root), "repeat-last"),
        observe: () => {},
        fork: () => drafting,
        truncate: () => {},
        dispose: () => {},
      };
      return drafting;
    },
  };
}

export const repeatLastPlugin = definePlugin({
  specification: "v1",
  kind: "drafter",
  name: "repeat-last",
  summary: "Drafts the newest token again.",
  guarantee: "identical",
  options: z.strictObject({ length: z.int().min(1).default(2).describe("Tokens to draft.") }),
  create: repeatLast,
});

/** Every layer up to a position, half of them behind it. */
export const halvePlugin = definePlugin({
  specification: "v1",
  kind: "schedule",
  name: "halve",
  summary: "Runs half of the layers.",
  guarantee: "altered",
  options: z.strictObject({}),
  create: (): LayerSchedule => ({
    name: "halve",
    guarantee: () => ({ level: "altered", reasons: ["halve leaves layers out"] }),
    plan: () => ({ layersAt: () => undefined, nextChange: () => Number.POSITIVE_INFINITY }),
  }),
});

/** A verifier around a verifier. */
export const lenientPlugin = definePlugin({
  specification: "v1",
  kind: "verifier",
  name: "lenient",
  summary: "Asks another verifier first.",
  guarantee: "altered",
  options: z.strictObject({ inner: part("verifier").prefault("draw-and-match") }),
  create: ({ inner }): Verifier => ({
    name: `lenient(${inner.name})`,
    guarantee: () => ({ level: "altered", reasons: [`lenient over ${inner.name}`] }),
    start: () => inner.start(),
  }),
});
