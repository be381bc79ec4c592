import type { PartKind } from "@foretoken/core";

/** How one option of a part is asked for. */
export type OptionControl =
  | { readonly type: "number"; readonly isWhole: boolean; readonly least?: number; readonly most?: number }
  | { readonly type: "switch" }
  | { readonly type: "choice"; readonly values: readonly string[] }
  | { readonly type: "text" }
  /** Another part. */
  | { readonly type: "part"; readonly kind: PartKind }
  /** A list of parts, at least one. */
  | { readonly type: "parts"; readonly kind: PartKind }
  /** Whatever has no control of its own, as JSON. */
  | { readonly type: "json" };

/** An option of a part as a form shows it. */
export interface OptionField {
  /** Its key in the part's JSON. */
  readonly name: string;
  /** The key in words. */
  readonly label: string;
  readonly help: string | undefined;
  readonly isRequired: boolean;
  /** What leaving it out means, when the schema says so. */
  readonly preset: unknown;
  readonly control: OptionControl;
}

/** What a form reads of JSON Schema; `part` is Foretoken's own word for an option that is a part. */
interface OptionSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly OptionSchema[];
  readonly items?: OptionSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly part?: PartKind;
  readonly properties?: Readonly<Record<string, OptionSchema>>;
  readonly required?: readonly string[];
}

/**
 * Reads a part's options off its JSON Schema, in the schema's order.
 *
 * @param schema - What `registry.describe(name).options` says; without one there is nothing to ask.
 */
export function optionFields(schema: Readonly<Record<string, unknown>> | undefined): readonly OptionField[] {
  const { properties = {}, required = [] } = (schema ?? {}) as OptionSchema;
  return Object.entries(properties).map(([name, option]) => ({
    name,
    label: inWords(name),
    help: option.description,
    isRequired: required.includes(name),
    preset: option.default,
    control: controlOf(option),
  }));
}

function controlOf(option: OptionSchema): OptionControl {
  if (option.part !== undefined) return { type: "part", kind: option.part };
  const listed = option.items?.part;
  if (option.type === "array" && listed !== undefined) return { type: "parts", kind: listed };
  if (option.enum?.every((value) => typeof value === "string"))
    return { type: "choice", values: option.enum };
  if (option.anyOf !== undefined) return controlOfOneOf(option.anyOf);
  switch (option.type) {
    case "integer":
    case "number":
      return {
        type: "number",
        isWhole: option.type === "integer",
        least: option.minimum,
        most: bound(option.maximum),
      };
    case "boolean":
      return { type: "switch" };
    case "string":
      return { type: "text" };
    default:
      return { type: "json" };
  }
}

/** A part or a list of them is a list of one or more; what JSON cannot hold (`{}`) is left out of the choice. */
function controlOfOneOf(choices: readonly OptionSchema[]): OptionControl {
  const controls = choices.filter((choice) => Object.keys(choice).length > 0).map(controlOf);
  const list = controls.find((control) => control.type === "parts");
  if (list !== undefined) return list;
  return controls.length === 1 ? controls[0] : { type: "json" };
}

/** Schemas of whole numbers end at 2^53 - 1, which tells a reader nothing. */
const bound = (most: number | undefined) => (most === Number.MAX_SAFE_INTEGER ? undefined : most);

/** `minNgram` as "Min ngram". */
export function inWords(name: string): string {
  const words = name.replace(/([A-Z])/g, " $1").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
