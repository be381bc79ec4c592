import type { ModelConfig } from "../weights/model-weights.ts";
import type { LayerWeights, Vector } from "./decoder-weights.ts";
import { writeFusedAttention } from "./fused-attention.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { writeMatMulAttention } from "./matmul-attention.ts";

/**
 * How attention gets at the rows of the cache.
 *
 * - `in-place`: it reads buffers that its own outputs lie in, so that a pass sees its rows without a copy (CPU).
 * - `appended`: it puts the rows of the pass behind those it takes in (WebAssembly).
 * - `fused`: one operator reads and extends whole buffers that are input and output at once (WebGPU).
 */
export type AttentionKind = "in-place" | "appended" | "fused";

/** What every layer's attention needs. */
export interface AttentionContext {
  readonly config: ModelConfig;
  /** Rotary tables, `[positions, headSize / 2]`. */
  readonly cos: Value;
  readonly sin: Value;
  /** What is added to scores, in the type of the activations. */
  readonly bias: Value;
  readonly kind: AttentionKind;
  norm(graph: GraphBuilder, input: Value, scale: Vector): Value;
}

/** Names of one layer's cache in a graph. */
export interface LayerCache {
  readonly key: Value;
  readonly value: Value;
  /** Names to give what goes into the cache: rows of the pass, or for fused attention the extended buffers. */
  readonly newKey: Value;
  readonly newValue: Value;
}

/** Attention over the rows of the cache, those of the pass included; `[1, T, D]` to `[1, T, heads · headSize]`. */
export function writeAttention(
  graph: GraphBuilder,
  context: AttentionContext,
  weights: LayerWeights,
  cache: LayerCache,
  input: Value,
): Value {
  const write = context.kind === "fused" ? writeFusedAttention : writeMatMulAttention;
  return write(graph, context, weights, cache, input);
}
