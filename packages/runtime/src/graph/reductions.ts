import type { GraphBuilder, Value } from "./graph-builder.ts";

/** Columns of the reductions before the top-k. */
export const REDUCED_COLUMNS = 2;

/**
 * What is mostly read of logits, float32 `[1, R, 2 + 2 topK]`: argmax, log-sum-exp, the largest logits, their ids. Ids
 * are exact as float32 up to 2^24. A row that holds NaN has a log-sum-exp of NaN.
 *
 * @param logits - Float32 `[1, R, V]`, without padding ids.
 */
export function writeReductions(graph: GraphBuilder, logits: Value, topK: number): Value {
  const overRow = { attributes: { axis: -1n, keepdims: 1n } };
  const axes = graph.integers([-1]);
  const float = { attributes: { to: 1n } };
  const best = graph.node("Cast", [graph.node("ArgMax", [logits], overRow)], float);
  const most = graph.node("ReduceMax", [logits, axes], { attributes: { keepdims: 1n } });
  const shares = graph.node("Exp", [graph.node("Sub", [logits, most])]);
  const sum = graph.node("ReduceSum", [shares, axes], { attributes: { keepdims: 1n } });
  const columns = [best, graph.node("Add", [most, graph.node("Log", [sum])])];
  if (topK > 0) {
    const [values, ids] = graph.nodes("TopK", [logits, graph.integers([topK])], 2, {
      attributes: { axis: -1n },
    });
    columns.push(values, graph.node("Cast", [ids], float));
  }
  return graph.node("Concat", columns, { attributes: { axis: -1n } });
}
