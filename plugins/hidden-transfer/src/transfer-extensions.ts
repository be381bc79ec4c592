import type { TrainedPart } from "@foretoken/drafting";
import type { GraphExtension } from "@foretoken/runtime";
import type { TransferShape } from "./transfer-maps.ts";

/** Names by which rows say that they are pseudo rows; other maps on the same model answer to other names. */
export interface TransferInputs {
  /** Integer: which step's map fills the row, from 1; 0 for real rows. */
  readonly step: string;
  /** Integer: how many parents up the row stands whose state is moved. */
  readonly source: string;
}

/** Names of the inputs of some maps. */
export function transferInputs({ contentHash }: Pick<TrainedPart, "contentHash">): TransferInputs {
  const prefix = prefixOf(contentHash);
  return { step: `${prefix}.step`, source: `${prefix}.source` };
}

function prefixOf(contentHash: string): string {
  return `hidden-transfer.${contentHash.slice(0, 16)}`;
}

/**
 * What maps add to the graph: behind layer `t_i`, the rows of step `i` become `W_i · h + b_i`, `h` the state of their source there. Until then
 * they run with whatever they were fed, and nobody sees them: the overwrite form.
 */
export function transferExtensions(maps: TrainedPart<TransferShape>): readonly GraphExtension[] {
  return maps.manifest.shape.layers.map((_, index) => stepExtension(maps, index + 1));
}

function stepExtension(maps: TrainedPart<TransferShape>, step: number): GraphExtension {
  const { width, steps, layers } = maps.manifest.shape;
  const inputs = transferInputs(maps);
  const name = `${prefixOf(maps.contentHash)}.${step}`;
  return {
    name,
    site: { after: layers[step - 1]! },
    rowIntegers: [inputs.step],
    rowAncestors: [inputs.source],
    isOnDemand: true,
    build(graph, stream) {
      // A look-up, because WebGPU compares no int64.
      const flags = Float32Array.from({ length: steps + 1 }, (_, other) => (other === step ? 1 : 0));
      const flag = graph.node("Gather", [
        graph.constant(`${name}.flags`, "float32", [steps + 1, 1], flags),
        inputs.step,
      ]);
      const half = graph.constant(`${name}.half`, "float32", [], Float32Array.of(0.5));
      const isOfStep = graph.node("Greater", [flag, half]);
      const gathered = graph.node("Gather", [stream, inputs.source], { attributes: { axis: 1n } });
      const sources = graph.node("Reshape", [gathered, graph.integers([1, -1, width])]);
      const weight = graph.weight(`${name}.weight`, "float32", [width, width], () =>
        bytesOf(transposed(maps.floats(`steps.${step}.weight`), width)),
      );
      const bias = graph.weight(`${name}.bias`, "float32", [width], () =>
        bytesOf(maps.floats(`steps.${step}.bias`)),
      );
      const moved = graph.node("Add", [graph.node("MatMul", [sources, weight]), bias]);
      return graph.node("Where", [isOfStep, moved, stream]);
    },
  };
}

/** A square matrix `[inputs, outputs]`, as `MatMul` takes it, of one `[outputs, inputs]`. */
function transposed(matrix: Float32Array, width: number): Float32Array {
  return matrix.map((_, at) => matrix[(at % width) * width + Math.floor(at / width)]!);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
