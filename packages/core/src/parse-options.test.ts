import { describe, expect, test } from "vitest";
import { z } from "zod";
import { z as zod3 } from "zod-3";
import { thrown } from "./__fixtures__/thrown.ts";
import { parseOptions, replaceReferences } from "./parse-options.ts";
import { isPartReference, part } from "./part-schema.ts";
import { drawAndMatch } from "./verifiers.ts";

const schema = z.strictObject({
  maxNgram: z.int().min(1).default(3),
  minNgram: z.int().min(1).default(2),
  shape: z.strictObject({ widths: z.array(z.number()) }).optional(),
});

test("fills in defaults, also where no options were passed", () => {
  expect(parseOptions("lookup", schema, undefined)).toEqual({ maxNgram: 3, minNgram: 2 });
});

test("an unknown option is named with its value, a near name and the names there are", () => {
  const error = thrown(() => parseOptions("lookup", schema, { maxNgrams: 4 }));
  expect(error.code).toBe("INVALID_OPTION");
  expect(error.message).toBe("lookup has no option maxNgrams (its value is 4).");
  expect(error.fix).toBe("Did you mean maxNgram? The options of lookup are maxNgram, minNgram, shape.");
});

test("an unknown option inside an option is named with its path", () => {
  const error = thrown(() => parseOptions("lookup", schema, { shape: { widths: [], depth: 2 } }));
  expect(error.message).toBe("lookup has no option shape.depth (its value is 2).");
});

test("names of object members are no options", () => {
  for (const key of ["constructor", "toString", "__proto__"]) {
    const options = JSON.parse(`{ "${key}": 1 }`);
    expect(thrown(() => parseOptions("lookup", schema, options)).message).toContain(`no option ${key}`);
  }
});

test("a wrong value is named with path, value and what was expected", () => {
  const error = thrown(() => parseOptions("lookup", schema, { maxNgram: "three" }));
  expect(error.code).toBe("INVALID_OPTION");
  expect(error.message).toBe('Option maxNgram of lookup is "three": expected number, received string.');
  expect(error.fix).toBe("The options of lookup are maxNgram, minNgram, shape.");
  expect(thrown(() => parseOptions("lookup", schema, { shape: { widths: [1, null] } })).message).toBe(
    "Option shape.widths[1] of lookup is null: expected number, received null.",
  );
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5])("refuses %d for a count", (maxNgram) => {
  const error = thrown(() => parseOptions("lookup", schema, { maxNgram }));
  expect(error.code).toBe("INVALID_OPTION");
  expect(error.message).toContain(String(maxNgram));
});

test("options that are no object are refused", () => {
  for (const value of ["fast", 3, [1], true]) {
    expect(thrown(() => parseOptions("lookup", schema, value)).code).toBe("INVALID_OPTION");
  }
});

test("a union says what each alternative expects", () => {
  const either = z.strictObject({ nodes: z.union([z.number(), z.array(z.number())]) });
  const error = thrown(() => parseOptions("fixed", either, { nodes: "many" }));
  expect(error.message).toContain("expected number, received string, or expected array, received string");
});

test("an asynchronous schema is the plugin's fault", () => {
  const slow = z.strictObject({ a: z.number() }).refine(async () => true);
  const foreign = {
    "~standard": { version: 1 as const, vendor: "x", validate: async () => ({ value: {} }) },
  };
  expect(thrown(() => parseOptions("slow", foreign, {})).code).toBe("INVALID_PLUGIN");
  expect(thrown(() => parseOptions("slow", slow, { a: 1 })).code).toBe("INVALID_PLUGIN");
});

test("H2: a schema of zod 3 is read, and refuses as ours do", () => {
  const old = zod3.object({ maxNgram: zod3.number().min(1).default(3) });
  expect(parseOptions("old", old, {})).toEqual({ maxNgram: 3 });
  expect(thrown(() => parseOptions("old", old, { maxNgram: "x" })).message).toBe(
    'Option maxNgram of old is "x": Expected number, received string.',
  );
  // zod 3 would drop the key in silence.
  expect(thrown(() => parseOptions("old", old, { maxNgrm: 1 })).fix).toContain("Did you mean maxNgram?");
  expect(
    thrown(() =>
      parseOptions(
        "old",
        old.strict().refine(() => true),
        { maxNgrm: 1 },
      ),
    ).message,
  ).toBe("old has no option maxNgrm (its value is 1).");
});

test("H2: any schema of the common interface is read", () => {
  const issue = { message: "must be even", path: [{ key: "n" }] };
  const even = {
    "~standard": {
      version: 1 as const,
      vendor: "hand-made",
      validate: (value: unknown) => ((value as { n: number }).n % 2 === 0 ? { value } : { issues: [issue] }),
    },
  };
  expect(parseOptions("even", even, { n: 2 })).toEqual({ n: 2 });
  expect(thrown(() => parseOptions("even", even, { n: 3 })).message).toBe(
    "Option n of even is 3: must be even.",
  );
});

describe("parts among the options", () => {
  const judge = z.strictObject({ inner: part("verifier") });

  test("a built part stays itself", () => {
    const inner = drawAndMatch();
    expect(parseOptions("judge", judge, { inner }).inner).toBe(inner);
  });

  test("a name needs a registry", () => {
    const error = thrown(() => parseOptions("judge", judge, { inner: "rejection" }));
    expect(error.message).toBe('Option inner of judge is "rejection", which only a registry can build.');
    expect(error.fix).toContain("registry.compose()");
  });
});

test("replacing references keeps every object that holds none", () => {
  const cyclic: Record<string, unknown> = { list: [1, 2] };
  cyclic.self = cyclic;
  const buffer = new Float32Array(2);
  const { inner } = z.strictObject({ inner: part("verifier") }).parse({ inner: "rejection" });
  expect(isPartReference(inner)).toBe(true);
  const options = { cyclic, buffer, deep: [{ inner }], same: { a: 1 } };
  const paths: PropertyKey[][] = [];
  const replaced = replaceReferences(options, [], (_, path) => {
    paths.push([...path]);
    return "built";
  }) as typeof options;
  expect(replaced.cyclic).toBe(cyclic);
  expect(replaced.buffer).toBe(buffer);
  expect(replaced.same).toBe(options.same);
  expect(replaced.deep).toEqual([{ inner: "built" }]);
  expect(paths).toEqual([["deep", 0, "inner"]]);
});
