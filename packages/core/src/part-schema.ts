import { z } from "zod";
import type { Drafter } from "./drafter.ts";
import type { LayerSchedule } from "./layer-schedule.ts";
import { kindOfPart, type PartByKind, type PartKind } from "./part-kind.ts";

/** A part in JSON: its name and its options. */
export interface PartJson {
  /** The name of a registered part. */
  readonly use: string;
  readonly [option: string]: unknown;
}

/** What stands for a part of a kind: a bare name, JSON, or the part itself. */
export type PartInput<Kind extends PartKind = PartKind> =
  | string
  | PartJson
  | PartByKind[Kind]
  | (Kind extends "decoder" ? Drafter | LayerSchedule | readonly PartInput<"drafter">[] : never);

/** Whether `value` has the form of a part in JSON. */
export function isPartJson(value: unknown): value is PartJson {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.hasOwn(value, "use") &&
    typeof (value as PartJson).use === "string"
  );
}

// A registered symbol, so that a schema made by another copy of this package works too.
const KIND = Symbol.for("foretoken.part-reference");

/** A part that options name and the registry has yet to build. */
export interface PartReference {
  readonly [KIND]: PartKind;
  readonly value: unknown;
}

/** Whether a parsed option names a part. */
export function isPartReference(value: unknown): value is PartReference {
  return typeof value === "object" && value !== null && KIND in value;
}

/** The kind of part a reference asks for. */
export const referredKind = (reference: PartReference): PartKind => reference[KIND];

/**
 * A schema for an option that is itself a part: a name, `{ use: name, …options }`, or a built part. `create` gets the
 * part; checks added to this schema see what the caller wrote, because parts are built after all options were read.
 *
 * @example
 * z.strictObject({ inner: part("verifier").prefault("draw-and-match") })
 */
export function part<Kind extends PartKind>(kind: Kind): z.ZodType<PartByKind[Kind], PartInput<Kind>> {
  const expected = `expected a ${kind}: a name, { use: name, … } or the part itself`;
  const schema = z
    .custom<PartInput<Kind>>(
      (value) =>
        typeof value === "string" ||
        isPartJson(value) ||
        kindOfPart(value) !== undefined ||
        (kind === "decoder" && Array.isArray(value)),
      { error: expected },
    )
    .transform((value) => (kindOfPart(value) === kind ? value : { [KIND]: kind, value }))
    .meta({ part: kind });
  // What the transform returns becomes the part before `create` sees it.
  return schema as unknown as z.ZodType<PartByKind[Kind], PartInput<Kind>>;
}
