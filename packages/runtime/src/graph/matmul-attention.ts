import type { AttentionContext, LayerCache } from "./attention.ts";
import type { LayerWeights } from "./decoder-weights.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { writeProjections } from "./projections.ts";

/**
 * Attention made of matrix products. Queries that share a key head are rows of one matrix
 * `[kvHeads, T · group, headSize]`, so that keys are never repeated, and keys are used as they lie, row after row, so
 * that a view of the cache is all that a pass takes in.
 *
 * When new rows are written into the cache in place, nothing in the graph says that attention must come after. The
 * order does: one split makes queries and keys, and the values come from the split before it, so that whatever reads
 * queries runs when both are in the cache.
 */
export function writeMatMulAttention(
  graph: GraphBuilder,
  context: AttentionContext,
  weights: LayerWeights,
  cache: LayerCache,
  input: Value,
): Value {
  const { heads, keyValueHeads, headSize } = context.config;
  const group = heads / keyValueHeads;
  const query = writeProjections(
    graph,
    context,
    weights,
    { key: cache.newKey, value: cache.newValue },
    input,
  );
  const byHead = [keyValueHeads, -1, headSize];
  const swapped = { attributes: { perm: [1n, 0n, 2n, 3n] } };
  const rows = graph.node("Reshape", [query, graph.integers([-1, keyValueHeads, group, headSize])]);
  const grouped = graph.node("Reshape", [graph.node("Transpose", [rows], swapped), graph.integers(byHead)]);
  const scores = graph.node("FusedMatMul", [grouped, writeWhole(graph, context, cache.key, cache.newKey)], {
    domain: "com.microsoft",
    attributes: { transB: 1n, transBatchB: 1n, alpha: headSize ** -0.5 },
  });
  const biased = graph.node("Add", [scores, context.bias]);
  const shares = graph.node("Softmax", [biased], { attributes: { axis: -1n } });
  const attended = graph.node(
    "FusedMatMul",
    [shares, writeWhole(graph, context, cache.value, cache.newValue)],
    {
      domain: "com.microsoft",
      attributes: { transBatchB: 1n },
    },
  );
  const heaped = graph.node("Reshape", [attended, graph.integers([keyValueHeads, -1, group, headSize])]);
  const byRow = graph.node("Transpose", [heaped], swapped);
  return graph.node("Reshape", [byRow, graph.integers([1, -1, heads * headSize])]);
}

/** The rows of the cache with those of the pass, `[S, kvHeads, headSize]`. */
function writeWhole(graph: GraphBuilder, context: AttentionContext, past: Value, rows: Value): Value {
  if (context.kind === "in-place") return past;
  const { keyValueHeads, headSize } = context.config;
  const shaped = graph.node("Reshape", [rows, graph.integers([-1, keyValueHeads, headSize])]);
  return graph.node("Concat", [past, shaped], { attributes: { axis: 0n } });
}
