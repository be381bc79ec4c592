import { DecodingError } from "@foretoken/core";
import { ARCHITECTURES } from "./gguf-config.ts";
import { corruptModel } from "./gguf-cursor.ts";
import type { GgufHeader, GgufTensor } from "./gguf-header.ts";
import type { LayerRole, ModelConfig, WeightRole } from "./model-weights.ts";
import { STORED_FORMATS } from "./stored-formats.ts";

interface Slot {
  /** Name in the file; behind `blk.N.` for a layer's tensor. */
  readonly name: string;
  readonly shape: (config: ModelConfig) => readonly number[];
}

const width: Slot["shape"] = (config) => [config.width];
const queryWidth = (config: ModelConfig) => config.heads * config.headSize;
const keyWidth = (config: ModelConfig) => config.keyValueHeads * config.headSize;

const LAYER_SLOTS: Readonly<Record<LayerRole, Slot>> = {
  attentionNorm: { name: "attn_norm.weight", shape: width },
  query: { name: "attn_q.weight", shape: (config) => [queryWidth(config), config.width] },
  queryBias: { name: "attn_q.bias", shape: (config) => [queryWidth(config)] },
  queryNorm: { name: "attn_q_norm.weight", shape: (config) => [config.headSize] },
  key: { name: "attn_k.weight", shape: (config) => [keyWidth(config), config.width] },
  keyBias: { name: "attn_k.bias", shape: (config) => [keyWidth(config)] },
  keyNorm: { name: "attn_k_norm.weight", shape: (config) => [config.headSize] },
  value: { name: "attn_v.weight", shape: (config) => [keyWidth(config), config.width] },
  valueBias: { name: "attn_v.bias", shape: (config) => [keyWidth(config)] },
  attentionOutput: { name: "attn_output.weight", shape: (config) => [config.width, queryWidth(config)] },
  feedForwardNorm: { name: "ffn_norm.weight", shape: width },
  gate: { name: "ffn_gate.weight", shape: (config) => [config.feedForwardWidth, config.width] },
  up: { name: "ffn_up.weight", shape: (config) => [config.feedForwardWidth, config.width] },
  down: { name: "ffn_down.weight", shape: (config) => [config.width, config.feedForwardWidth] },
};

/** In every architecture. */
const COMMON_ROLES: readonly LayerRole[] = [
  "attentionNorm",
  "query",
  "key",
  "value",
  "attentionOutput",
  "feedForwardNorm",
  "gate",
  "up",
  "down",
];

/** Tables of frequencies that old converters wrote and that follow from the metadata. */
const REDUNDANT = /^blk\.\d+\.(attn_rot_embd|rope_freqs)\.weight$/;

/**
 * Finds every tensor of the decoder by role.
 *
 * @throws `DecodingError` `CORRUPT_MODEL` when one is missing or has another shape than the metadata says,
 * `UNSUPPORTED_MODEL` when the file holds tensors that the decoder would leave out.
 */
export function assignRoles(
  { tensors }: GgufHeader,
  config: ModelConfig,
  file: string,
): Map<WeightRole, GgufTensor> {
  const roles = new Map<WeightRole, GgufTensor>();
  const unused = new Set(tensors.keys());

  const assign = (role: WeightRole, name: string, shape: readonly number[], isOptional = false) => {
    const tensor = tensors.get(name);
    if (!tensor) {
      if (isOptional) return;
      throw corruptModel(file, `the tensor "${name}" is missing`);
    }
    checkTensor(tensor, shape, file);
    roles.set(role, tensor);
    unused.delete(name);
  };

  assign("embedding", "token_embd.weight", [config.embeddingRows, config.width]);
  assign("finalNorm", "output_norm.weight", [config.width]);
  assign("head", "output.weight", [config.embeddingRows, config.width], true);
  assign("ropeFactors", "rope_freqs.weight", [config.headSize / 2], true);
  const { required, optional } = ARCHITECTURES[config.architecture];
  for (let layer = 0; layer < config.layers; layer++) {
    for (const role of [...COMMON_ROLES, ...required, ...optional]) {
      const { name, shape } = LAYER_SLOTS[role];
      assign(`layers.${layer}.${role}`, `blk.${layer}.${name}`, shape(config), optional.includes(role));
    }
  }

  for (const name of unused) if (!REDUNDANT.test(name)) throw leftOut(name, config, file);
  return roles;
}

function checkTensor({ name, shape, type }: GgufTensor, expected: readonly number[], file: string): void {
  if (shape.length !== expected.length || shape.some((size, i) => size !== expected[i])) {
    throw corruptModel(
      file,
      `tensor "${name}" has shape [${shape.join(", ")}], the metadata ask for [${expected.join(", ")}]`,
    );
  }
  if (shape.length === 1 && STORED_FORMATS[type].kind !== "float") {
    throw new DecodingError("UNSUPPORTED_MODEL", {
      message: `Tensor "${name}" of "${file}" is a vector stored as ${type}.`,
      fix: "Use a file whose norms and biases are F32, F16 or BF16, as llama.cpp writes them.",
    });
  }
}

function leftOut(name: string, config: ModelConfig, file: string): DecodingError {
  return new DecodingError("UNSUPPORTED_MODEL", {
    message: `"${file}" holds the tensor "${name}", which a decoder of architecture "${config.architecture}" with ${config.layers} layers does not use.`,
    fix: "Use another model; leaving a tensor out would give wrong text.",
  });
}
