import type { PartJson, PartKind, Registry } from "@foretoken/core";
import { optionFields } from "./option-field.ts";

/** Options that parts begin with, by part. */
export type Presets = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * A part chosen by name, with what its required options need filled in: what it is to begin with, and a first part of the kind each
 * of the others asks for.
 *
 * @throws `UNKNOWN_PART`
 */
export function newPart(registry: Registry, name: string, presets: Presets = {}): PartJson {
  const part: Record<string, unknown> = { ...presets[name] };
  for (const { name: option, isRequired, control } of optionFields(registry.describe(name).options)) {
    if (!isRequired || part[option] !== undefined) continue;
    if (control.type === "part") part[option] = firstPart(registry, control.kind, presets);
    if (control.type === "parts") part[option] = [firstPart(registry, control.kind, presets)];
  }
  return { use: name, ...part };
}

/** The part with one option changed; `undefined` leaves it out, so that the default holds. */
export function withOption(part: PartJson, option: string, value: unknown): PartJson {
  const { [option]: _, ...rest } = part;
  return value === undefined ? (rest as PartJson) : { ...part, [option]: value };
}

/** What JSON gives for a part, in the long form: `"plain"` is `{ use: "plain" }`. */
export function asPart(value: unknown): PartJson | undefined {
  if (typeof value === "string") return { use: value };
  return typeof (value as PartJson | undefined)?.use === "string" ? (value as PartJson) : undefined;
}

/** What JSON gives for a list of parts; one part is a list of one. */
export function asParts(value: unknown): readonly PartJson[] {
  return [value].flat().flatMap((item) => asPart(item) ?? []);
}

/** Names of the parts of a kind. */
export function namesOf(registry: Registry, kind: PartKind): readonly string[] {
  return registry
    .list()
    .filter((part) => part.kind === kind)
    .map(({ name }) => name);
}

/** The first part that is complete without a word of the user's; else the first. */
function firstPart(registry: Registry, kind: PartKind, presets: Presets): PartJson | undefined {
  const parts = namesOf(registry, kind).map((name) => newPart(registry, name, presets));
  return parts.find((part) => isComplete(registry, part)) ?? parts[0];
}

function isComplete(registry: Registry, part: PartJson): boolean {
  return optionFields(registry.describe(part.use).options).every(
    ({ name, isRequired }) => !isRequired || part[name] !== undefined,
  );
}
