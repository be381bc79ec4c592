import { DecodingError } from "./errors.ts";
import { nearNames } from "./near-names.ts";
import { isPartReference, type PartReference, referredKind } from "./part-schema.ts";
import { showValue } from "./show-value.ts";
import { jsonSchemaOf, type SchemaIssue, type SchemaOutput, type StandardSchema } from "./standard-schema.ts";

/** Keys and indices from the outermost value to an option. */
export type OptionPath = readonly PropertyKey[];

/**
 * Reads a part's options, for its factory: `promptLookup({ … })` then refuses what the registry would refuse.
 *
 * @param name - The part's name, for messages.
 * @param options - What the caller passed; `undefined` stands for none.
 * @returns What the schema made of them, with defaults.
 * @throws `INVALID_OPTION` naming the option, its value, what was expected, and the options there are.
 */
export function parseOptions<Schema extends StandardSchema>(
  name: string,
  schema: Schema,
  options: unknown,
): SchemaOutput<Schema> {
  const parsed = validateOptions(name, schema, options ?? {}, []);
  return replaceReferences(parsed, [], (reference, path) => {
    throw new DecodingError("INVALID_OPTION", {
      message: `Option ${showPath(path)} of ${name} is ${showValue(reference.value)}, which only a registry can build.`,
      fix: `Pass the ${referredKind(reference)} itself, or build ${name} with registry.compose().`,
    });
  }) as SchemaOutput<Schema>;
}

/**
 * Runs the schema.
 * @param at - Where `options` stand in what the caller composes.
 * @throws `INVALID_OPTION`; `INVALID_PLUGIN` when the schema is asynchronous.
 */
export function validateOptions(
  name: string,
  schema: StandardSchema,
  options: unknown,
  at: OptionPath,
): unknown {
  const allowed = optionNames(schema);
  if (allowed !== undefined && typeof options === "object" && options !== null) {
    const unknown = Object.keys(options).find((key) => !allowed.includes(key));
    if (unknown !== undefined) {
      throw unknownOption(name, [...at, unknown], (options as Record<string, unknown>)[unknown], allowed);
    }
  }
  const result = schema["~standard"].validate(options);
  if (result instanceof Promise) {
    throw new DecodingError("INVALID_PLUGIN", {
      message: `The options of ${name} are checked asynchronously.`,
      fix: "Use a schema without asynchronous checks; load data when the part starts.",
    });
  }
  if (result.issues === undefined) return result.value;
  throw optionsError(name, options, at, result.issues[0]!, allowed);
}

/** What zod tells besides message and path. */
interface ZodIssue extends SchemaIssue {
  /** Keys that a strict object does not know. */
  readonly keys?: readonly string[];
  /** Of a union: the issues of each alternative. */
  readonly errors?: readonly (readonly ZodIssue[])[];
}

function optionsError(
  name: string,
  options: unknown,
  at: OptionPath,
  issue: ZodIssue,
  allowed: readonly string[] | undefined,
): DecodingError {
  const path = (issue.path ?? []).map((step) => (typeof step === "object" ? step.key : step));
  const value = valueAt(options, path);
  const foreign = issue.keys?.[0];
  if (foreign !== undefined) {
    const names = path.length === 0 ? allowed : undefined;
    return unknownOption(name, [...at, ...path, foreign], valueAt(value, [foreign]), names);
  }
  const subject =
    path.length === 0 ? `The options of ${name} are` : `Option ${showPath([...at, ...path])} of ${name} is`;
  return new DecodingError("INVALID_OPTION", {
    message: `${subject} ${showValue(value)}: ${expectation(issue)}.`,
    fix: listOptions(name, allowed),
  });
}

function unknownOption(
  name: string,
  path: OptionPath,
  value: unknown,
  allowed: readonly string[] | undefined,
): DecodingError {
  const near = nearNames(String(path.at(-1)), allowed ?? []);
  return new DecodingError("INVALID_OPTION", {
    message: `${name} has no option ${showPath(path)} (its value is ${showValue(value)}).`,
    fix: `${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}${listOptions(name, allowed)}`,
  });
}

function listOptions(name: string, allowed: readonly string[] | undefined): string {
  if (allowed === undefined) return `The README of ${name} lists its options.`;
  if (allowed.length === 0) return `${name} takes no options.`;
  return `The options of ${name} are ${allowed.join(", ")}.`;
}

/** In a union's own words there is no more than "Invalid input". */
function expectation(issue: ZodIssue): string {
  const alternatives = issue.errors?.flatMap((branch) => branch.slice(0, 1).map(expectation)) ?? [];
  const text = alternatives.length > 0 ? [...new Set(alternatives)].join(", or ") : issue.message;
  return text.replace(/^Invalid input: /, "").replace(/\.$/, "");
}

function valueAt(options: unknown, path: OptionPath): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
    options,
  );
}

/** The options a schema knows by name: zod 3 and 4 objects tell, and whatever speaks JSON Schema. */
function optionNames(schema: StandardSchema): readonly string[] | undefined {
  const { shape } = schema as { shape?: unknown };
  if (typeof shape === "object" && shape !== null) return Object.keys(shape);
  const { properties } = jsonSchemaOf(schema) ?? {};
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : undefined;
}

/** `drafters[0].maxNgram` */
export function showPath(path: OptionPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/**
 * Parsed options with the built part in place of every part they name. Looks into plain objects and lists; what holds no
 * reference is passed on as it is, so that a model or a built part among the options stays the caller's own object.
 */
export function replaceReferences(
  value: unknown,
  path: OptionPath,
  build: (reference: PartReference, path: OptionPath) => unknown,
  done: Map<unknown, unknown> = new Map(),
): unknown {
  if (isPartReference(value)) return build(value, path);
  if (!isContainer(value)) return value;
  if (done.has(value)) return done.get(value);
  done.set(value, value); // Stands in for the value inside itself, where a caller's object is cyclic.
  const isList = Array.isArray(value);
  const before = Object.entries(value);
  const after = before.map(([key, item]): [string, unknown] => [
    key,
    replaceReferences(item, [...path, isList ? Number(key) : key], build, done),
  ]);
  if (after.some(([, item], index) => item !== before[index]![1])) {
    done.set(value, isList ? after.map(([, item]) => item) : Object.fromEntries(after));
  }
  return done.get(value);
}

function isContainer(value: unknown): value is readonly unknown[] | Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
