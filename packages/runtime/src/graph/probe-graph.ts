import { GraphBuilder } from "./graph-builder.ts";
import { ELEMENT_TYPES, encodeModel, type FloatType } from "./onnx-model.ts";

export const PROBE_PORTS = { input: "input", output: "output" } as const;

/** The least graph that computes in `floatType`, float32 `[1]` in and out: fails where a device cannot. */
export function probeGraph(floatType: FloatType): Uint8Array {
  const graph = new GraphBuilder();
  graph.input(PROBE_PORTS.input, "float32", [1]);
  const cast = (value: string, to: FloatType) =>
    graph.node("Cast", [value], { attributes: { to: BigInt(ELEMENT_TYPES[to]) } });
  const inside = cast(PROBE_PORTS.input, floatType);
  const outside = cast(graph.node("Add", [inside, inside]), "float32");
  graph.output(outside, PROBE_PORTS.output, "float32", [1]);
  return encodeModel(
    graph.build(() => {
      throw new Error("a graph without weights has a weight");
    }),
  );
}
