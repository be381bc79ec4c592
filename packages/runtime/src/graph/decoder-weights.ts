import { dequantize } from "../weights/dequantize.ts";
import { encodeLinear } from "../weights/encode-linear.ts";
import { float16Bits } from "../weights/float16.ts";
import { linearLayout, type WeightDtype } from "../weights/linear-layout.ts";
import type { LayerRole, ModelWeights, StoredTensor, WeightRole } from "../weights/model-weights.ts";
import type { WeightSource } from "./graph-builder.ts";
import type { Arithmetic, Linear } from "./linear.ts";
import type { FloatType } from "./onnx-model.ts";

/** A vector in the weights file. */
export interface Vector {
  readonly name: string;
  readonly type: FloatType;
  readonly length: number;
  readonly read: WeightSource;
}

/** One layer's weights; matrices that read the same activations are one. */
export interface LayerWeights {
  readonly attentionNorm: Vector;
  readonly queryKeyValue: Linear;
  /** Norms of single heads, `[headSize]`: qwen3. */
  readonly queryNorm?: Vector;
  readonly keyNorm?: Vector;
  readonly attentionOutput: Linear;
  readonly feedForwardNorm: Vector;
  readonly gateUp: Linear;
  readonly down: Linear;
}

/** The weights of a whole decoder, read when the weights file is written. */
export interface DecoderWeights {
  readonly arithmetic: Arithmetic;
  /** Joins embedding and feature: draft heads only. */
  readonly inputProjection?: Linear;
  readonly layers: readonly LayerWeights[];
  readonly finalNorm: Vector;
  readonly head: Linear;
  /** Divisors of the rotary frequencies, `[headSize / 2]`. */
  readonly ropeFactors?: Float32Array;
}

/** Plans the weights of a graph in `dtype`; reads the rotary factors only. */
export async function decoderWeights(
  weights: ModelWeights,
  dtype: WeightDtype,
  arithmetic: Arithmetic,
): Promise<DecoderWeights> {
  const { floatType } = arithmetic;
  const { config } = weights;
  const required = (role: WeightRole) => weights.tensor(role)!; // the reader has checked that they are there
  const vector = (role: WeightRole): Vector => ({
    name: role,
    type: floatType,
    length: required(role).shape[0],
    read: async () => inType(await readVector(required(role)), floatType),
  });
  const layers = Array.from({ length: config.layers }, (_, layer): LayerWeights => {
    const role = (name: LayerRole): WeightRole => `layers.${layer}.${name}`;
    const has = (name: LayerRole) => weights.tensor(role(name)) !== undefined;
    const linear = (name: string, matrices: LayerRole[], biases: LayerRole[] = []) =>
      planLinear(
        `layers.${layer}.${name}`,
        matrices.map((matrix) => required(role(matrix))),
        biases.filter(has).map((bias) => required(role(bias))),
        dtype,
        arithmetic,
      );
    return {
      attentionNorm: vector(role("attentionNorm")),
      queryKeyValue: linear(
        "queryKeyValue",
        ["query", "key", "value"],
        ["queryBias", "keyBias", "valueBias"],
      ),
      ...(has("queryNorm") && { queryNorm: vector(role("queryNorm")), keyNorm: vector(role("keyNorm")) }),
      attentionOutput: linear("attentionOutput", ["attentionOutput"]),
      feedForwardNorm: vector(role("feedForwardNorm")),
      gateUp: linear("gateUp", ["gate", "up"]),
      down: linear("down", ["down"]),
    };
  });
  const head = weights.tensor("head") ?? required("embedding");
  const factors = weights.tensor("ropeFactors");
  const projection = weights.tensor("inputProjection");
  return {
    arithmetic,
    ...(projection && {
      inputProjection: planLinear("inputProjection", [projection], [], dtype, arithmetic),
    }),
    layers,
    finalNorm: vector("finalNorm"),
    head: planLinear("head", [head], [], dtype, arithmetic),
    ...(factors && { ropeFactors: dequantize(factors.type, await factors.read(), factors.shape[0]) }),
  };
}

function planLinear(
  name: string,
  matrices: StoredTensor[],
  biases: StoredTensor[],
  dtype: WeightDtype,
  arithmetic: Arithmetic,
): Linear {
  const { floatType } = arithmetic;
  const layout = linearLayout(matrices, dtype);
  // The tensors of one matrix are written one after the other; only then may its bytes go.
  let encoding: ReturnType<typeof encodeLinear> | undefined;
  const encoded = () => {
    encoding ??= encodeLinear(matrices, dtype);
    return encoding;
  };
  const last = layout.kind === "blocks" ? (layout.hasZeroPoints ? "zeroPoints" : "scales") : "weights";
  const part = (which: "weights" | "scales" | "zeroPoints") => async () => {
    const linear = await encoded();
    if (which === last) encoding = undefined;
    if (linear.kind === "float") return inType(linear.values, floatType);
    if (which === "weights") return linear.packed;
    return which === "scales" ? inType(linear.scales, floatType) : linear.zeroPoints!;
  };
  return {
    name,
    arithmetic,
    layout,
    sources: { weights: part("weights"), scales: part("scales"), zeroPoints: part("zeroPoints") },
    ...(biases.length > 0 && { bias: async () => inType(await readVectors(biases), floatType) }),
  };
}

async function readVector(tensor: StoredTensor): Promise<Float32Array> {
  return dequantize(tensor.type, await tensor.read(), tensor.shape[0]);
}

async function readVectors(tensors: readonly StoredTensor[]): Promise<Float32Array> {
  const parts = await Promise.all(tensors.map(readVector));
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** Bytes of values as a graph that computes in `floatType` takes them. */
function inType(values: Float32Array, floatType: FloatType): Uint8Array {
  const stored = floatType === "float32" ? values : float16Bits(values);
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}
