import type { ModelConfig } from "../weights/model-weights.ts";
import type { LayerWeights, Vector } from "./decoder-weights.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { writeLinear } from "./linear.ts";
import { PORTS } from "./ports.ts";

/** What every layer's attention needs. */
export interface AttentionContext {
  readonly config: ModelConfig;
  /** Rotary tables, `[positions, headSize / 2]`. */
  readonly cos: Value;
  readonly sin: Value;
  /** Whether the outputs with the new rows lie in the cache that is read; else the graph appends them itself. */
  readonly writesCacheInPlace: boolean;
  norm(graph: GraphBuilder, input: Value, scale: Vector): Value;
}

/** Names of one layer's cache in a graph. */
export interface LayerCache {
  readonly key: Value;
  readonly value: Value;
  /** Names to give the new rows. */
  readonly newKey: Value;
  readonly newValue: Value;
}

/**
 * Attention over the rows of the cache, those of the pass included; `[1, T, D]` to `[1, T, heads · headSize]`.
 *
 * Queries that share a key head are rows of one matrix `[kvHeads, T · group, headSize]`, so that keys are never
 * repeated, and keys are used as they lie, row after row, so that a view of the cache is all that a pass takes in.
 */
export function writeAttention(
  graph: GraphBuilder,
  context: AttentionContext,
  weights: LayerWeights,
  cache: LayerCache,
  input: Value,
): Value {
  const { heads, keyValueHeads, headSize } = context.config;
  const group = heads / keyValueHeads;
  const query = writeProjections(graph, context, weights, cache, input);
  const byHead = [keyValueHeads, -1, headSize];
  const swapped = { attributes: { perm: [1n, 0n, 2n, 3n] } };
  const rows = graph.node("Reshape", [query, graph.integers([-1, keyValueHeads, group, headSize])]);
  const grouped = graph.node("Reshape", [graph.node("Transpose", [rows], swapped), graph.integers(byHead)]);
  const scores = graph.node("FusedMatMul", [grouped, writeWhole(graph, context, cache.key, cache.newKey)], {
    domain: "com.microsoft",
    attributes: { transB: 1n, transBatchB: 1n, alpha: headSize ** -0.5 },
  });
  const biased = graph.node("Add", [scores, PORTS.bias]);
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

/**
 * Queries of the pass, `[1, T, heads · headSize]`; its keys and values become the values called for by `cache`.
 *
 * When those are written into the cache in place, nothing in the graph says that attention must come after. The
 * order does: one split makes queries and keys, and the values come from the split before it, so that whatever reads
 * queries runs when both are in the cache.
 */
function writeProjections(
  graph: GraphBuilder,
  context: AttentionContext,
  weights: LayerWeights,
  { newKey, newValue }: LayerCache,
  input: Value,
): Value {
  const { heads, keyValueHeads, headSize } = context.config;
  const queryWidth = heads * headSize;
  const keyWidth = keyValueHeads * headSize;
  const split = (value: Value, names: readonly Value[], sizes: readonly number[]) =>
    graph.nodes("Split", [value, graph.integers(sizes)], names, { attributes: { axis: -1n } });
  const packed = writeLinear(graph, weights.queryKeyValue, input);
  let queryKey = `${newKey}.query_key`;
  if (weights.queryNorm && weights.keyNorm) {
    const [query, key] = [`${newKey}.query`, `${newKey}.key`];
    split(packed, [query, key, newValue], [queryWidth, keyWidth, keyWidth]);
    const normed = [
      writeHeadNorm(graph, context, query, weights.queryNorm),
      writeHeadNorm(graph, context, key, weights.keyNorm),
    ];
    queryKey = graph.node("Concat", normed, { attributes: { axis: -1n } });
  } else {
    split(packed, [queryKey, newValue], [queryWidth + keyWidth, keyWidth]);
  }
  const rotated = graph.node("RotaryEmbedding", [queryKey, PORTS.positions, context.cos, context.sin], {
    domain: "com.microsoft",
  });
  return split(rotated, [`${newKey}.rotated_query`, newKey], [queryWidth, keyWidth])[0];
}

/** Norm of each head by itself, `[1, T, heads · headSize]`. */
function writeHeadNorm(graph: GraphBuilder, context: AttentionContext, input: Value, scale: Vector): Value {
  const heads = graph.node("Reshape", [input, graph.integers([0, 0, -1, context.config.headSize])]);
  return graph.node("Reshape", [context.norm(graph, heads, scale), graph.integers([0, 0, -1])]);
}

/** The rows of the cache with those of the pass, `[S, kvHeads, headSize]`. */
function writeWhole(graph: GraphBuilder, context: AttentionContext, past: Value, rows: Value): Value {
  if (context.writesCacheInPlace) return past;
  const { keyValueHeads, headSize } = context.config;
  const shaped = graph.node("Reshape", [rows, graph.integers([-1, keyValueHeads, headSize])]);
  return graph.node("Concat", [past, shaped], { attributes: { axis: 0n } });
}
