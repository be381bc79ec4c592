import type { GraphExtension as CoreGraphExtension } from "@foretoken/core";
import type { GraphBuilder, Value } from "./graph-builder.ts";

/**
 * A piece that a part adds to the decoder graph.
 *
 * A graph is built once for each set of names, and extensions that were prepared stay in it beside later ones. So a piece with trained weights
 * has their content hash in its `name`, in the names of its weights, and in those of inputs that another copy of it must not answer to.
 * Extensions may share an input: then both declare it.
 *
 * WebGPU computes nothing in int64. There, what a row's integers say is looked up: `Gather` takes them as indices into a table of floats.
 */
export interface GraphExtension extends CoreGraphExtension {
  /**
   * Where it stands: behind so many layers (0: the input embeddings), before the final norm (`"head"`), or behind it (`"logits"`): what the
   * head multiplies, of all rows of the pass and not only those whose logits are wanted, once the hidden state `"final"` was taken.
   */
  readonly site: { readonly after: number } | "head" | "logits";
  /** Integers a caller may give with each row, 0 when left out; they become inputs int64 `[1, T]` of these names. */
  readonly rowIntegers?: readonly string[];
  /**
   * Integers that name an ancestor by how many parents up it stands, 0 for the row itself. What the graph gets, int64 `[1, T]`, are indices
   * into the rows of its pass, however calls were fused and cut. The ancestor must be a row of the same call.
   */
  readonly rowAncestors?: readonly string[];
  /** Vectors a caller may give with each row, by name with their widths, zeros when left out; inputs float32 `[1, T, width]`. */
  readonly rowVectors?: Readonly<Record<string, number>>;
  /**
   * Whether it runs only in passes where a row carries one of these; in others the stream passes it by, at no cost. Default `false`.
   */
  readonly isOnDemand?: boolean;
  /**
   * Adds nodes that read `stream`, float32 `[1, T, D]`, and returns what takes its place. Its weights travel inside the model, not in the
   * cached weights file: megabytes, not hundreds.
   */
  build(graph: GraphBuilder, stream: Value): Value;
}
