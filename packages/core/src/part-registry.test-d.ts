import { expectTypeOf } from "vitest";
import { z } from "zod";
import { z as zod3 } from "zod-3";
import type { Decoder } from "./decoder.ts";
import type { Drafter } from "./drafter.ts";
import { parseOptions } from "./parse-options.ts";
import { registry } from "./part-registry.ts";
import { part } from "./part-schema.ts";
import { definePlugin, type Plugin } from "./plugin.ts";
import type { Verifier } from "./verifier.ts";

// The kind decides what comes out.
expectTypeOf(registry.compose("decoder", "plain")).toEqualTypeOf<Decoder>();
expectTypeOf(registry.composeAsync("drafter", { use: "x", a: 1 })).resolves.toEqualTypeOf<Drafter>();
expectTypeOf(registry.get("verifier", "rejection")).toEqualTypeOf<Plugin<"verifier">>();

declare const drafter: Drafter;
declare const verifier: Verifier;
registry.compose("decoder", [drafter, "prompt-lookup"]);
// @ts-expect-error A verifier is no decoder.
registry.compose("decoder", verifier);
// @ts-expect-error A list of drafters is a decoder, not a drafter.
registry.compose("drafter", [drafter]);
// @ts-expect-error There is no such kind.
registry.compose("drafters", "prompt-lookup");

// Options reach create() as the schema gives them, parts as parts.
const definition = { specification: "v1", name: "x", summary: "x" } as const;
definePlugin({
  ...definition,
  kind: "verifier",
  options: z.strictObject({ threshold: z.number().default(1), inner: part("verifier") }),
  create: (options) => {
    expectTypeOf(options).toEqualTypeOf<{ threshold: number; inner: Verifier }>();
    return options.inner;
  },
});
definePlugin({
  ...definition,
  kind: "drafter",
  options: zod3.object({ length: zod3.number().default(1) }),
  create: (options) => {
    expectTypeOf(options).toEqualTypeOf<{ length: number }>();
    return drafter;
  },
});
definePlugin({
  ...definition,
  kind: "drafter",
  options: z.strictObject({}),
  // @ts-expect-error A drafter is asked for.
  create: () => verifier,
});

const schema = z.strictObject({ length: z.number().default(1) });
expectTypeOf(parseOptions("x", schema, {})).toEqualTypeOf<{ length: number }>();
