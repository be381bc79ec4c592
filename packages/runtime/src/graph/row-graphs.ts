import type { ModelConfig } from "../weights/model-weights.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { encodeModel, type FloatType } from "./onnx-model.ts";
import { PORTS } from "./ports.ts";

/** Names of a small graph's inputs and outputs beside {@link PORTS}. */
export const ROW_PORTS = {
  /** Where each row of the result comes from, int64 `[rows]`. */
  order: "order",
  /** Float32 `[1, R, W]`. */
  values: "values",
  /** Float32 `[1, rows, W]`. */
  chosen: "chosen",
} as const;

/**
 * A graph that makes new cache buffers `[1, kvHeads, rows, headSize]`: row `i` of each is row `order[i]` of the old one,
 * or of zeros. It moves rows, grows buffers and makes the first ones, all on the device.
 */
export function arrangingGraph(
  { layers, keyValueHeads, headSize }: ModelConfig,
  floatType: FloatType,
  from: "cache" | "zeros",
): Uint8Array {
  const graph = new GraphBuilder();
  graph.input(ROW_PORTS.order, "int64", ["rows"]);
  const bytes = new Uint8Array(keyValueHeads * headSize * (floatType === "float16" ? 2 : 4));
  for (let layer = 0; layer < layers; layer++) {
    for (const [old, present] of [
      [PORTS.key(layer), PORTS.presentKey(layer)],
      [PORTS.value(layer), PORTS.presentValue(layer)],
    ]) {
      const source =
        from === "zeros"
          ? graph.constant("zeros", floatType, [1, keyValueHeads, 1, headSize], bytes)
          : graph.input(old, floatType, [1, keyValueHeads, "old_rows", headSize]);
      graph.nodes("Gather", [source, ROW_PORTS.order], [present], { attributes: { axis: 2n } });
      graph.namedOutput(present, floatType, [1, keyValueHeads, "rows", headSize]);
    }
  }
  return encodeModel(graph.build(noWeights));
}

/** A graph that picks rows of an output on the device, so that only they are copied from it. */
export function choosingGraph(): Uint8Array {
  const graph = new GraphBuilder();
  graph.input(ROW_PORTS.values, "float32", [1, "R", "W"]);
  graph.input(ROW_PORTS.order, "int64", ["rows"]);
  graph.nodes("Gather", [ROW_PORTS.values, ROW_PORTS.order], [ROW_PORTS.chosen], {
    attributes: { axis: 1n },
  });
  graph.namedOutput(ROW_PORTS.chosen, "float32", [1, "rows", "W"]);
  return encodeModel(graph.build(noWeights));
}

function noWeights(): never {
  throw new Error("a graph without weights has a weight");
}
