import { type LinearLayout, SUM_WIDTH } from "../weights/linear-layout.ts";
import type { GraphBuilder, Value, WeightSource } from "./graph-builder.ts";
import type { FloatType } from "./onnx-model.ts";

/** A linear layer: how its weights lie, and where they come from. */
export interface Linear {
  /** Unique in the graph; names the weights in the weights file. */
  readonly name: string;
  readonly layout: LinearLayout;
  /** The tensors of the layout, in the order in which they are written. */
  readonly sources: LinearSources;
  /** Type of the activations, the scales and the bias, and of the weights themselves in a float layout. */
  readonly floatType: FloatType;
  /** Added to the result, `[outputs]`. */
  readonly bias?: WeightSource;
}

/** Bytes of a {@link LinearLayout}; `scales` and `zeroPoints` only for blocks. */
export interface LinearSources {
  readonly weights: WeightSource;
  readonly scales: WeightSource;
  readonly zeroPoints: WeightSource;
}

/** Writes `input · weightsᵀ + bias`, `[1, T, inputs]` to `[1, T, outputs]`. */
export function writeLinear(graph: GraphBuilder, linear: Linear, input: Value): Value {
  const { name, layout, sources, floatType } = linear;
  const bias = linear.bias && graph.weight(`${name}.bias`, floatType, [layout.outputs], linear.bias);
  if (layout.kind === "float") {
    const weights = graph.weight(name, floatType, [layout.outputs, layout.inputs], sources.weights);
    const product = graph.node("FusedMatMul", [input, weights], {
      domain: "com.microsoft",
      attributes: { transB: 1n },
    });
    return bias ? graph.node("Add", [product, bias]) : product;
  }
  const { bits, blockSize, outputs, inputs, sums, columns } = layout;
  const blocks = Math.ceil(columns / blockSize);
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  return graph.node(
    "MatMulNBits",
    [
      writeBlockSums(graph, layout.sums, input),
      graph.weight(name, "uint8", [outputs, blocks, (blockSize * bits) / 8], sources.weights),
      graph.weight(`${name}.scales`, floatType, [outputs * blocks], sources.scales),
      layout.hasZeroPoints
        ? graph.weight(`${name}.zero_points`, "uint8", [outputs * zeroBytes], sources.zeroPoints)
        : "",
      "",
      bias ?? "",
    ],
    {
      domain: "com.microsoft",
      attributes: {
        // The columns behind the sums are zero; left out of K, they need no zeros in the activations.
        K: BigInt(inputs + sums),
        N: BigInt(outputs),
        bits: BigInt(bits),
        block_size: BigInt(blockSize),
        accuracy_level: 4n,
      },
    },
  );
}

/** Appends the block sums that a layout with residue columns asks for; the input itself where it asks for none. */
function writeBlockSums(graph: GraphBuilder, sums: number, input: Value): Value {
  if (sums === 0) return input;
  const blocks = graph.node("Reshape", [input, graph.integers([0, 0, -1, SUM_WIDTH])]);
  const blockSums = graph.node("ReduceSum", [blocks, graph.integers([-1])], { attributes: { keepdims: 0n } });
  return graph.node("Concat", [input, blockSums], { attributes: { axis: -1n } });
}
