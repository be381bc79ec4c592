import type { AttentionContext } from "./attention.ts";
import type { LayerWeights, Vector } from "./decoder-weights.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { writeLinear } from "./linear.ts";
import { PORTS } from "./ports.ts";

/**
 * Rotated queries of the pass, `[1, T, heads · headSize]`. Its rotated keys and its values,
 * `[1, T, kvHeads · headSize]`, get the names given.
 */
export function writeProjections(
  graph: GraphBuilder,
  context: AttentionContext,
  weights: LayerWeights,
  names: { readonly key: Value; readonly value: Value },
  input: Value,
): Value {
  const { heads, keyValueHeads, headSize } = context.config;
  const queryWidth = heads * headSize;
  const keyWidth = keyValueHeads * headSize;
  const split = (value: Value, outputs: readonly Value[], sizes: readonly number[]) =>
    graph.nodes("Split", [value, graph.integers(sizes)], outputs, { attributes: { axis: -1n } });
  const packed = writeLinear(graph, weights.queryKeyValue, input);
  let queryKey = `${names.key}.query_key`;
  if (weights.queryNorm && weights.keyNorm) {
    const [query, key] = [`${names.key}.query`, `${names.key}.key`];
    split(packed, [query, key, names.value], [queryWidth, keyWidth, keyWidth]);
    const normed = [
      writeHeadNorm(graph, context, query, weights.queryNorm),
      writeHeadNorm(graph, context, key, weights.keyNorm),
    ];
    queryKey = graph.node("Concat", normed, { attributes: { axis: -1n } });
  } else {
    split(packed, [queryKey, names.value], [queryWidth + keyWidth, keyWidth]);
  }
  const rotated = graph.node("RotaryEmbedding", [queryKey, PORTS.positions, context.cos, context.sin], {
    domain: "com.microsoft",
  });
  return split(rotated, [`${names.key}.rotated_query`, names.key], [queryWidth, keyWidth])[0];
}

/** Norm of each head by itself, `[1, T, heads · headSize]`. */
function writeHeadNorm(graph: GraphBuilder, context: AttentionContext, input: Value, scale: Vector): Value {
  const heads = graph.node("Reshape", [input, graph.integers([0, 0, -1, context.config.headSize])]);
  return graph.node("Reshape", [context.norm(graph, heads, scale), graph.integers([0, 0, -1])]);
}
