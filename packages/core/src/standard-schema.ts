/** One fault a schema found. Libraries add what they like; zod's extra members are read where they are there. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * The common interface of schema libraries, version 1, so that a plugin may use zod 3, zod 4 of another copy, valibot, …
 *
 * @see https://standardschema.dev, and https://standardschema.dev/json-schema for `jsonSchema`
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema?: {
      readonly input: (options: {
        readonly target: "draft-2020-12";
        readonly libraryOptions?: Record<string, unknown>;
      }) => Record<string, unknown>;
    };
  };
}

/** What a schema makes of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** The options a schema reads, as the caller writes them. */
export type SchemaInput<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["input"];

/** The options a schema reads, with defaults filled in. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"];

/** Whether `value` can be used as a schema. Goes by shape: it may come from another copy of its library. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  const standard = (value as StandardSchema | undefined)?.["~standard"];
  return standard?.version === 1 && typeof standard.validate === "function";
}

/** The schema's input as JSON Schema, for forms; `undefined` when its library cannot tell. */
export function jsonSchemaOf(schema: StandardSchema): Readonly<Record<string, unknown>> | undefined {
  try {
    return schema["~standard"].jsonSchema?.input({
      target: "draft-2020-12",
      libraryOptions: { unrepresentable: "any" },
    });
  } catch {
    return undefined; // The standard tells libraries to throw where JSON Schema has no words.
  }
}
