import type { Drafter } from "./drafter.ts";
import { DecodingError } from "./errors.ts";
import type { LayerSchedule } from "./layer-schedule.ts";
import { type OptionPath, replaceReferences, showPath, validateOptions } from "./parse-options.ts";
import { kindOfPart, type Part, type PartByKind, type PartKind } from "./part-kind.ts";
import { isPartJson, type PartJson, referredKind } from "./part-schema.ts";
import { plain } from "./plain.ts";
import type { Plugin, PluginContext } from "./plugin.ts";
import { showValue } from "./show-value.ts";
import { speculative } from "./speculative.ts";

/** Most parts inside one another. */
const DEEPEST = 16;

/** What composing needs from a registry. */
export interface ComposeContext extends PluginContext {
  /** @throws `UNKNOWN_PART`, listing names that would fit `kind`. */
  find(name: string, kind: PartKind): Plugin;
}

/** Where a value stands in what is composed. */
interface Place {
  readonly path: OptionPath;
  /** The values it is inside of, outermost first. */
  readonly above: readonly unknown[];
}

/**
 * Builds a part from a name, JSON, or parts that are built already.
 *
 * @throws `UNKNOWN_PART`, `WRONG_KIND`, `INVALID_OPTION`, `INVALID_PLUGIN`, and what a part's `create` throws.
 */
export function compose<Kind extends PartKind>(
  kind: Kind,
  value: unknown,
  context: ComposeContext,
): PartByKind[Kind] {
  return composePart(kind, value, context, { path: [], above: [] }) as PartByKind[Kind];
}

function composePart(kind: PartKind, value: unknown, context: ComposeContext, place: Place): Part {
  if (typeof value === "string") return build(kind, { use: value }, context, place);
  checkDepth(value, place);
  const inside = { ...place, above: [...place.above, value] };
  if (isPartJson(value)) return build(kind, value, context, inside);
  if (kind !== "decoder" || !Array.isArray(value)) return asKind(kind, value, place);
  const drafters = value.map((item, index) =>
    composePart("drafter", item, context, { ...inside, path: [...place.path, index] }),
  );
  return speculative({ drafters: drafters as Drafter[] });
}

function build(kind: PartKind, { use, ...options }: PartJson, context: ComposeContext, place: Place): Part {
  const plugin = context.find(use, kind);
  // Before the part is made: a part of the wrong kind needs no options to be refused.
  checkKind(kind, plugin.kind, use, place);
  const parsed = validateOptions(use, plugin.options, options, place.path);
  const complete = replaceReferences(parsed, place.path, (reference, path) =>
    composePart(referredKind(reference), reference.value, context, { ...place, path }),
  );
  return asKind(kind, plugin.create(complete, { resources: context.resources }), place);
}

/** A built part as the kind that is asked for: a drafter becomes `speculative`, a schedule `plain`. */
function asKind(kind: PartKind, value: unknown, place: Place): Part {
  const given = kindOfPart(value);
  if (given === undefined) {
    throw new DecodingError("INVALID_OPTION", {
      message: `${at(place)} is ${showValue(value)}: expected a ${kind}.`,
      fix: 'Give a name, such as "plain", or an object with the name in "use", or the part itself.',
    });
  }
  const part = value as Part;
  checkKind(kind, given, part.name, place);
  if (given === kind) return part;
  return given === "drafter"
    ? speculative({ drafters: part as Drafter })
    : plain({ schedule: part as LayerSchedule });
}

function checkKind(wanted: PartKind, given: PartKind, name: string, place: Place): void {
  if (!fits(given, wanted)) throw wrongKind(at(place), name, given, wanted);
}

/** @param subject - What is named: `The part`, `Part drafters[0]`. */
export function wrongKind(subject: string, name: string, given: PartKind, wanted: PartKind): DecodingError {
  return new DecodingError("WRONG_KIND", {
    message: `${subject} is ${name}, a ${given}, but must be a ${wanted}.`,
    fix: `Name a ${wanted} there; registry.list() tells each part's kind.`,
  });
}

/** Whether a part of kind `given` may stand where `wanted` is asked for. */
export function fits(given: PartKind, wanted: PartKind): boolean {
  return given === wanted || (wanted === "decoder" && (given === "drafter" || given === "schedule"));
}

function checkDepth(value: unknown, place: Place): void {
  const isCycle = place.above.includes(value);
  if (!isCycle && place.above.length < DEEPEST) return;
  throw new DecodingError("INVALID_OPTION", {
    message: isCycle
      ? `${at(place)} contains itself.`
      : `${at(place)} lies deeper than ${DEEPEST} parts inside one another.`,
    fix: "Compose parts as a tree of a few levels.",
  });
}

function at({ path }: Place): string {
  return path.length === 0 ? "The part" : `Part ${showPath(path)}`;
}
