import { DecodingError } from "./errors.ts";
import type { GuaranteeLevel } from "./guarantee.ts";
import { PART_KINDS, type PartByKind, type PartKind } from "./part-kind.ts";
import { showValue } from "./show-value.ts";
import { isStandardSchema, type SchemaOutput, type StandardSchema } from "./standard-schema.ts";

/** The version of the plugin contract this package understands. */
export const SPECIFICATION = "v1";

/** What the program that composes a part offers besides options. */
export interface PluginContext {
  /** What JSON cannot hold, such as a loaded draft model, by a name that options may refer to. */
  readonly resources: Readonly<Record<string, unknown>>;
}

/** What {@link definePlugin} is given. */
export interface PluginDefinition<Kind extends PartKind, Schema extends StandardSchema> {
  readonly specification: typeof SPECIFICATION;
  readonly kind: Kind;
  /** Kebab-case; one name across all kinds, the same as the part's own `name`. */
  readonly name: string;
  /** One sentence for lists. */
  readonly summary: string;
  /** What a decoder with this part promises with the part's default options, and the default verifier for a drafter. */
  readonly guarantee?: GuaranteeLevel;
  /** Reads the options; with zod a `z.strictObject`, so that unknown keys are refused. Must not be asynchronous. */
  readonly options: Schema;
  /**
   * Makes the part. Must have no side effects: it may be called again for the same options.
   * @param options - What the schema returned, with parts in place of names.
   */
  create(options: SchemaOutput<Schema>, context: PluginContext): PartByKind[Kind];
}

/** A part that can be chosen by name. Frozen. */
export interface Plugin<Kind extends PartKind = PartKind> {
  readonly specification: string;
  readonly kind: Kind;
  readonly name: string;
  readonly summary: string;
  readonly guarantee?: GuaranteeLevel;
  readonly options: StandardSchema;
  create(options: unknown, context: PluginContext): PartByKind[Kind];
}

const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** Whether `name` can be the name of a part: kebab-case, at most 64 characters. */
export function isPartName(name: unknown): name is string {
  return typeof name === "string" && name.length <= 64 && KEBAB_CASE.test(name);
}

/**
 * Describes a part so that it can be chosen by name and built from JSON.
 *
 * @example
 * export const plugin = definePlugin({
 *   specification: "v1",
 *   kind: "drafter",
 *   name: "repeat-last",
 *   summary: "Drafts the newest token again.",
 *   guarantee: "identical",
 *   options: z.strictObject({ length: z.int().min(1).default(2) }),
 *   create: (options) => repeatLast(options),
 * });
 *
 * @throws `WRONG_SPECIFICATION`, `INVALID_PLUGIN`
 */
export function definePlugin<Kind extends PartKind, Schema extends StandardSchema>(
  definition: PluginDefinition<Kind, Schema>,
): Plugin<Kind> {
  const plugin = Object.freeze({ ...definition });
  checkPlugin(plugin);
  return plugin;
}

/**
 * Checks by shape that `value` is a plugin of the contract this package knows; it may come from another copy.
 *
 * @param from - Where it comes from, for messages.
 * @throws `WRONG_SPECIFICATION`, `INVALID_PLUGIN`
 */
export function checkPlugin(value: unknown, from?: string): asserts value is Plugin {
  const plugin = (value ?? {}) as Partial<Record<keyof Plugin, unknown>>;
  const title = `Plugin ${showValue(plugin.name)}${from === undefined ? "" : ` from ${from}`}`;
  checkSpecification(plugin.specification, title);
  const expect = (member: keyof Plugin, isRight: boolean, expected: string) => {
    if (isRight) return;
    throw new DecodingError("INVALID_PLUGIN", {
      message: `${title} has the ${member} ${showValue(plugin[member])}.`,
      fix: `Its ${member} must be ${expected}.`,
    });
  };
  expect("name", isPartName(plugin.name), "kebab-case, at most 64 characters");
  expect("kind", PART_KINDS.includes(plugin.kind as PartKind), `one of ${PART_KINDS.join(", ")}`);
  expect("summary", typeof plugin.summary === "string" && plugin.summary !== "", "a sentence");
  expect(
    "options",
    isStandardSchema(plugin.options),
    "a schema of zod 3.24 on, or of another Standard Schema library",
  );
  expect("create", typeof plugin.create === "function", "a function that makes the part");
}

/** @throws `WRONG_SPECIFICATION` unless `specification` is the one this package knows. */
export function checkSpecification(specification: unknown, what: string): void {
  if (specification === SPECIFICATION) return;
  throw new DecodingError("WRONG_SPECIFICATION", {
    message: `${what} follows specification ${showValue(specification)}, but this version of @foretoken/core knows "${SPECIFICATION}".`,
    fix: "Install the versions of the plugin and of @foretoken/core that belong together.",
  });
}
