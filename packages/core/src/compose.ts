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
  if (typeof value === "string") return composeJson(kind, { use: value }, context, place);
  checkDepth(value, place);
  const inside = { ...place, above: [...place.above, value] };
  if (kind === "decoder" && Array.isArray(value)) {
    const drafters = value.map((item, index) =>
      composePart("drafter", item, context, { ...inside, path: [...place.path, index] }),
    );
    return speculative({ drafters: drafters as Drafter[] });
  }
  if (isPartJson(value)) return composeJson(kind, value, context, inside);
  const given = kindOfPart(value);
  if (given === undefined) {
    throw new DecodingError("INVALID_OPTION", {
      message: `${at(place)} is ${showValue(value)}: expected a ${kind}.`,
      fix: 'Give a name, such as "plain", an object with the name in "use", such as { "use": "plain" }, or the part itself.',
    });
  }
  return asKind(kind, given, value as Part, place);
}

function composeJson(
  kind: PartKind,
  { use, ...options }: PartJson,
  context: ComposeContext,
  place: Place,
): Part {
  const plugin = context.find(use, kind);
  // Before the part is made: a part of the wrong kind needs no options to be refused.
  checkKind(kind, plugin.kind, use, place);
  const parsed = validateOptions(use, plugin.options, options, place.path);
  const complete = replaceReferences(parsed, place.path, (reference, path) =>
    composePart(referredKind(reference), reference.value, context, { ...place, path }),
  );
  const made = plugin.create(complete, { resources: context.resources });
  if (kindOfPart(made) !== plugin.kind) {
    throw new DecodingError("INVALID_PLUGIN", {
      message: `Plugin ${use} says it makes a ${plugin.kind}, but made ${showValue(made)}.`,
      fix: `This is a fault of the plugin: its create() must return a ${plugin.kind}.`,
    });
  }
  return asKind(kind, plugin.kind, made, place);
}

/** Where a decoder is asked for, a drafter becomes `speculative` and a schedule `plain`. */
function asKind(wanted: PartKind, given: PartKind, value: Part, place: Place): Part {
  checkKind(wanted, given, value.name, place);
  if (wanted === given) return value;
  return given === "drafter"
    ? speculative({ drafters: value as Drafter })
    : plain({ schedule: value as LayerSchedule });
}

function checkKind(wanted: PartKind, given: PartKind, name: string, place: Place): void {
  if (fits(given, wanted)) return;
  throw new DecodingError("WRONG_KIND", {
    message: `${at(place)} is ${name}, a ${given}, but must be a ${wanted}.`,
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
