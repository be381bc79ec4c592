import type { GraphExtension as CoreGraphExtension } from "@foretoken/core";
import type { GraphBuilder, Value } from "./graph-builder.ts";

/** A piece that a part adds to the decoder graph, in the residual stream. */
export interface GraphExtension extends CoreGraphExtension {
  /** Behind how many layers (0: the input embeddings), or before the final norm. */
  readonly site: { readonly after: number } | "head";
  /** Integers a caller may give with each row; they become inputs int64 `[1, T]` of these names. */
  readonly rowIntegers?: readonly string[];
  /** Adds nodes that read `stream`, float32 `[1, T, D]`, and returns what takes its place. */
  build(graph: GraphBuilder, stream: Value): Value;
}
