import { readFileSync } from "node:fs";
import type { HiddenSite } from "@foretoken/core";
import { shared } from "../../../../test/shared.ts";
import { loadRuntime, type RuntimeModel, type RuntimeOptions } from "../load-runtime.ts";
import { fileSource } from "../weights/byte-source.ts";
import { openGguf } from "../weights/open-gguf.ts";

/** Loads one of the shared tiny models, in fp32 unless told otherwise. */
export async function tinyModel(name: string, options: RuntimeOptions = {}): Promise<RuntimeModel> {
  const weights = await openGguf(await fileSource(shared(`fixtures/gguf/${name}.gguf`)));
  return loadRuntime(weights, { id: name, dtype: "fp32", threads: 1, ...options });
}

/** What another program computed for a tiny model; matrices as rows. */
export interface Reference {
  readonly sequences: readonly {
    readonly name: string;
    readonly tokens: readonly number[];
    readonly logits: readonly Float32Array[];
    /** Residual stream behind each layer and after the final norm; empty where the file has none. */
    readonly hidden: ReadonlyMap<HiddenSite, readonly Float32Array[]>;
  }[];
  readonly tree: {
    readonly prefix: readonly number[];
    readonly tokens: readonly number[];
    readonly parents: readonly number[];
    readonly logits: readonly Float32Array[];
  };
}

interface StoredMatrix {
  /** In bytes. */
  readonly offset: number;
  readonly shape: readonly [rows: number, columns: number];
}

interface StoredReference {
  readonly sequences: readonly ({ readonly name: string; readonly tokens: number[] } & Readonly<
    Record<"logits" | "layer1" | "layer2" | "final", StoredMatrix>
  >)[];
  readonly tree: { readonly prefix: number[]; tokens: number[]; parents: number[]; logits: StoredMatrix };
}

const SITES = [
  ["layer1", 1],
  ["layer2", 2],
  ["final", "final"],
] as const;

/** Reads `fixtures/reference/NAME`. */
export function reference(name: string): Reference {
  const { sequences, tree }: StoredReference = JSON.parse(
    readFileSync(shared(`fixtures/reference/${name}.json`), "utf8"),
  );
  const bytes = readFileSync(shared(`fixtures/reference/${name}.bin`));
  const rows = ({ offset, shape: [count, columns] }: StoredMatrix) => {
    const start = bytes.byteOffset + offset;
    const all = new Float32Array(bytes.buffer.slice(start, start + 4 * count * columns));
    return Array.from({ length: count }, (_, row) => all.subarray(row * columns, (row + 1) * columns));
  };
  return {
    sequences: sequences.map((stored) => ({
      name: stored.name,
      tokens: stored.tokens,
      logits: rows(stored.logits),
      hidden: new Map(SITES.filter(([key]) => stored[key]).map(([key, site]) => [site, rows(stored[key])])),
    })),
    tree: { ...tree, logits: rows(tree.logits) },
  };
}
