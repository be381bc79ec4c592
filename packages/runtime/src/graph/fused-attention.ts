import type { AttentionContext, LayerCache } from "./attention.ts";
import type { LayerWeights } from "./decoder-weights.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { PORTS } from "./ports.ts";
import { writeProjections } from "./projections.ts";

/**
 * Attention as one `GroupQueryAttention`, which writes the rows of the pass behind those that are there.
 *
 * It rotates nothing (positions given to it are ignored on WebGPU), and masks by slot besides the bias: a row sees
 * lower slots only. So rows of a pass lie behind all others, parents before children.
 */
export function writeFusedAttention(
  graph: GraphBuilder,
  context: AttentionContext,
  weights: LayerWeights,
  { key, value, newKey, newValue }: LayerCache,
  input: Value,
): Value {
  const { heads, keyValueHeads, headSize } = context.config;
  const names = { key: `${newKey}.rows`, value: `${newValue}.rows` };
  const query = writeProjections(graph, context, weights, names, input);
  const inputs = [query, names.key, names.value, key, value, PORTS.lastSlot, PORTS.extent];
  const noRotary = ["", "", ""];
  const outputs = [`${newKey}.attended`, newKey, newValue];
  return graph.nodes("GroupQueryAttention", [...inputs, ...noRotary, context.bias], outputs, {
    domain: "com.microsoft",
    attributes: {
      num_heads: BigInt(heads),
      kv_num_heads: BigInt(keyValueHeads),
      scale: headSize ** -0.5,
      do_rotary: 0n,
    },
  })[0];
}
