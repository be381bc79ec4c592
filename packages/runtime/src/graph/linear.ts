import { type LinearLayout, SUM_WIDTH } from "../weights/linear-layout.ts";
import type { GraphBuilder, Value, WeightSource } from "./graph-builder.ts";
import type { FloatType } from "./onnx-model.ts";

/** What a graph computes in. */
export interface Arithmetic {
  /** Type of activations, scales, biases and norms. */
  readonly floatType: FloatType;
  /** Of products with blocks: 4 rounds activations to int8, where that is what makes them fast; 0 does not. */
  readonly accuracyLevel: 0 | 4;
  /** The operator for products of floats that has a kernel. */
  readonly product: "FusedMatMul" | "Gemm";
}

/** A linear layer: how its weights lie, and where they come from. */
export interface Linear {
  /** Unique in the graph; names the weights in the weights file. */
  readonly name: string;
  readonly layout: LinearLayout;
  /** The tensors of the layout, in the order in which they are written. */
  readonly sources: LinearSources;
  readonly arithmetic: Arithmetic;
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
  const { name, layout, sources } = linear;
  const { floatType, accuracyLevel } = linear.arithmetic;
  const bias = linear.bias && graph.weight(`${name}.bias`, floatType, [layout.outputs], linear.bias);
  if (layout.kind === "float") {
    const weights = graph.weight(name, floatType, [layout.outputs, layout.inputs], sources.weights);
    if (linear.arithmetic.product === "Gemm") {
      const rows = graph.node("Reshape", [input, graph.integers([-1, layout.inputs])]);
      const inputs = bias ? [rows, weights, bias] : [rows, weights];
      const product = graph.node("Gemm", inputs, { attributes: { transB: 1n } });
      return graph.node("Reshape", [product, graph.integers([1, -1, layout.outputs])]);
    }
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
        accuracy_level: BigInt(accuracyLevel),
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
