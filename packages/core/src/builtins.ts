import { z } from "zod";
import { autoBudget } from "./auto-budget.ts";
import { fixedBudget } from "./fixed-budget.ts";
import { part } from "./part-schema.ts";
import { plain } from "./plain.ts";
import { definePlugin, type Plugin } from "./plugin.ts";
import { speculative } from "./speculative.ts";
import { drawAndMatch, rejection } from "./verifiers.ts";

const nodes = () => z.int().min(0);

/** The parts that every registry starts with; made on demand, so that programs without a registry do not carry them. */
export const builtins = (): readonly Plugin[] => [
  definePlugin({
    specification: "v1",
    kind: "decoder",
    name: "plain",
    summary: "One token for each target pass.",
    guarantee: "identical",
    options: z.strictObject({ schedule: part("schedule").optional() }),
    create: plain,
  }),
  definePlugin({
    specification: "v1",
    kind: "decoder",
    name: "speculative",
    summary: "Verifies a drafted tree of tokens in one target pass.",
    guarantee: "identical",
    options: z.strictObject({
      drafters: z.union([part("drafter"), z.array(part("drafter")).min(1)]),
      verifier: part("verifier").optional(),
      budget: part("budget").optional(),
      schedule: part("schedule").optional(),
    }),
    create: speculative,
  }),
  definePlugin({
    specification: "v1",
    kind: "verifier",
    name: "draw-and-match",
    summary: "Draws the target's token and goes on where a draft holds it.",
    guarantee: "identical",
    options: z.strictObject({}),
    create: drawAndMatch,
  }),
  definePlugin({
    specification: "v1",
    kind: "verifier",
    name: "rejection",
    summary: "Tries drafted siblings against what is left of the target's law.",
    guarantee: "distribution",
    options: z.strictObject({}),
    create: rejection,
  }),
  definePlugin({
    specification: "v1",
    kind: "budget",
    name: "fixed",
    summary: "The same node limits every round.",
    options: z.strictObject({ nodes: z.union([nodes(), z.array(nodes())]).optional() }),
    create: fixedBudget,
  }),
  definePlugin({
    specification: "v1",
    kind: "budget",
    name: "auto",
    summary: "As many nodes as are worth their price, down to none.",
    options: z.strictObject({
      nodes: z.int().min(1).optional().describe("Nodes asked of one drafter at most; default 16"),
    }),
    create: autoBudget,
  }),
];
