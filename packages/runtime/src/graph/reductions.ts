import type { GraphBuilder, Value } from "./graph-builder.ts";

/** Columns of the reductions before the largest logits. */
export const REDUCED_COLUMNS = 2;

/** What is mostly read of logits. */
export interface Reductions {
  /** Float32 `[1, R, 2 + topK]`: argmax, log-sum-exp, the largest logits. */
  readonly columns: Value;
  /** Ids of the largest logits, int64 `[1, R, topK]`; not for `topK` 0. */
  readonly topIds?: Value;
}

/**
 * Reduces logits in the graph. A row that holds NaN has a log-sum-exp of NaN.
 *
 * The argmax is the lowest id whose logit equals the largest one: `ArgMax` gives int64, which WebGPU cannot turn into
 * a float, and every output more is another wait for the device. Ids are exact as float32 up to 2^24.
 *
 * @param logits - Float32 `[1, R, V]`, without padding ids.
 */
export function writeReductions(
  graph: GraphBuilder,
  logits: Value,
  { vocabularySize, topK }: { readonly vocabularySize: number; readonly topK: number },
): Reductions {
  const axes = graph.integers([-1]);
  const most = graph.node("ReduceMax", [logits, axes], { attributes: { keepdims: 1n } });
  const allIds = Float32Array.from({ length: vocabularySize }, (_, id) => id);
  const ids = graph.constant("token_ids", "float32", [1, 1, vocabularySize], allIds);
  const none = graph.constant("no_token_id", "float32", [], Float32Array.of(vocabularySize));
  const largestIds = graph.node("Where", [graph.node("Equal", [logits, most]), ids, none]);
  const best = graph.node("ReduceMin", [largestIds, axes], { attributes: { keepdims: 1n } });
  const shares = graph.node("Exp", [graph.node("Sub", [logits, most])]);
  const sum = graph.node("ReduceSum", [shares, axes], { attributes: { keepdims: 1n } });
  const columns = [best, graph.node("Add", [most, graph.node("Log", [sum])])];
  if (topK === 0) return { columns: graph.node("Concat", columns, { attributes: { axis: -1n } }) };
  const [values, topIds] = graph.nodes("TopK", [logits, graph.integers([topK])], 2, {
    attributes: { axis: -1n },
  });
  return { columns: graph.node("Concat", [...columns, values], { attributes: { axis: -1n } }), topIds };
}
