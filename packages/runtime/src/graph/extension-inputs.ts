import { DecodingError } from "@foretoken/core";
import type { HostTensor } from "../device/backend.ts";
import type { PlannedRow } from "../session/pass-queue.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { GraphExtension } from "./graph-extension.ts";

/** What rows may carry for the extensions of a graph, each input once. */
export interface ExtensionInputs {
  readonly integers: readonly string[];
  readonly ancestors: readonly string[];
  /** Widths by name. */
  readonly vectors: ReadonlyMap<string, number>;
  /** For each extension that runs on demand, by the name of its flag, the inputs that ask for it. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

/** Name of the bool scalar that says whether an extension runs. */
export function flagOf({ name }: GraphExtension): string {
  return `${name}.runs`;
}

/**
 * Collects the inputs that extensions declare.
 *
 * @throws `DecodingError` `INVALID_OPTION` when two declare different inputs of one name.
 */
export function extensionInputs(extensions: readonly GraphExtension[]): ExtensionInputs {
  const declared = new Map<string, { readonly shape: string; readonly by: string }>();
  const declare = (name: string, shape: string, by: string) => {
    const before = declared.get(name) ?? { shape, by };
    if (before.shape !== shape) {
      throw new DecodingError("INVALID_OPTION", {
        message: `The graph extensions ${before.by} and ${by} declare the input "${name}" as ${before.shape} and as ${shape}.`,
        fix: "Begin the names of inputs with that of their extension.",
      });
    }
    declared.set(name, before);
  };
  const integers = new Set<string>();
  const ancestors = new Set<string>();
  const vectors = new Map<string, number>();
  const flags = new Map<string, readonly string[]>();
  for (const extension of extensions) {
    const { name: by, rowIntegers = [], rowAncestors = [], rowVectors = {} } = extension;
    for (const name of rowIntegers) {
      declare(name, "integers", by);
      integers.add(name);
    }
    for (const name of rowAncestors) {
      declare(name, "ancestors", by);
      ancestors.add(name);
    }
    for (const [name, width] of Object.entries(rowVectors)) {
      declare(name, `vectors of ${width}`, by);
      vectors.set(name, width);
    }
    if (extension.isOnDemand) {
      const asking = [...rowIntegers, ...rowAncestors, ...Object.keys(rowVectors)];
      flags.set(flagOf(extension), asking);
    }
  }
  return { integers: [...integers], ancestors: [...ancestors], vectors, flags };
}

/** Declares the inputs on a graph. */
export function writeExtensionInputs(
  graph: GraphBuilder,
  { integers, ancestors, vectors, flags }: ExtensionInputs,
): void {
  for (const name of [...integers, ...ancestors]) graph.input(name, "int64", [1, "T"]);
  for (const [name, width] of vectors) graph.input(name, "float32", [1, "T", width]);
  for (const name of flags.keys()) graph.input(name, "bool", []);
}

/**
 * What the inputs are fed for a part of a pass.
 *
 * @param rows - Rows of that part; `ancestors` are indices into the whole pass.
 * @param first - Index of the first of them in the pass.
 */
export function extensionFeeds(
  { integers, ancestors, vectors, flags }: ExtensionInputs,
  rows: readonly PlannedRow[],
  first: number,
): Record<string, HostTensor> {
  const feeds: Record<string, HostTensor> = {};
  const shape = [1, rows.length];
  for (const name of integers) {
    feeds[name] = {
      type: "int64",
      shape,
      data: BigInt64Array.from(rows, (row) => BigInt(row.integers?.[name] ?? 0)),
    };
  }
  for (const name of ancestors) {
    const indices = rows.map((row, index) => (row.ancestors?.[name] ?? first + index) - first);
    feeds[name] = { type: "int64", shape, data: BigInt64Array.from(indices, BigInt) };
  }
  for (const [name, width] of vectors) {
    const data = new Float32Array(rows.length * width);
    rows.forEach((row, index) => {
      const vector = row.vectors?.[name];
      if (vector) data.set(vector, index * width);
    });
    feeds[name] = { type: "float32", shape: [...shape, width], data };
  }
  for (const [flag, asking] of flags) {
    const isAsked = rows.some(({ integers, vectors }) =>
      asking.some((name) => (integers?.[name] ?? vectors?.[name]) !== undefined),
    );
    feeds[flag] = { type: "bool", shape: [], data: Uint8Array.of(isAsked ? 1 : 0) };
  }
  return feeds;
}
