import { DecodingError } from "@foretoken/core";
import { corruptModel } from "./gguf-cursor.ts";
import type { GgufHeader } from "./gguf-header.ts";
import type { LayerRole, ModelConfig } from "./model-weights.ts";

/** How files of an architecture differ from each other. */
export interface Architecture {
  /** The order in which the file stores the rows of query and key. */
  readonly rotaryOrder: "adjacent" | "half-split";
  /** Layer tensors that the decoder must have besides the common ones. */
  readonly required: readonly LayerRole[];
  /** Layer tensors that it may have. */
  readonly optional: readonly LayerRole[];
}

/** The architectures whose decoder this runtime writes, under the names GGUF gives them. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  // Also SmolLM and Mistral, whose files say llama.
  llama: { rotaryOrder: "adjacent", required: [], optional: ["queryBias", "keyBias", "valueBias"] },
  qwen2: { rotaryOrder: "half-split", required: ["queryBias", "keyBias", "valueBias"], optional: [] },
  qwen3: { rotaryOrder: "half-split", required: ["queryNorm", "keyNorm"], optional: [] },
};

/** Keys that change what a decoder computes, with the values that leave it as it is; any other value is refused. */
const NEUTRAL_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  expert_count: [0],
  logit_scale: [0, 1],
  residual_scale: [0, 1],
  embedding_scale: [0, 1],
  final_logit_softcapping: [0],
  attn_logit_softcapping: [0],
  use_parallel_residual: [false],
  "attention.causal": [true],
  "attention.scale": [0],
  "attention.clamp_kqv": [0],
  "attention.max_alibi_bias": [0],
  // A missing type means linear to llama.cpp, and a factor of 0 means 1.
  "rope.scaling.type": ["none", "linear"],
  "rope.scaling.factor": [0, 1],
  "rope.scaling.attn_factor": [0, 1],
  "rope.scale_linear": [0, 1],
};

/** Largest sizes taken seriously; they keep later products exact and later allocations sane. */
const LARGEST_SIZE = 2 ** 24;

/**
 * The decoder's sizes from the metadata: stated keys first, quotients only where a key is missing.
 *
 * @throws `DecodingError` `UNSUPPORTED_MODEL` naming key and value of what the graph would not compute,
 * `CORRUPT_MODEL` for missing keys and impossible values.
 */
export function readConfig({ metadata, tensors }: GgufHeader, file: string): ModelConfig {
  const architecture = metadata.get("general.architecture");
  if (typeof architecture !== "string") {
    throw corruptModel(file, 'the key "general.architecture" is missing');
  }
  if (!Object.hasOwn(ARCHITECTURES, architecture)) {
    throw new DecodingError("UNSUPPORTED_MODEL", {
      message: `"${file}" holds a model of architecture "${architecture}".`,
      fix: `Use a model of one of the architectures ${Object.keys(ARCHITECTURES).join(", ")}.`,
    });
  }
  const keys = new ConfigKeys(file, architecture, metadata);
  keys.refuseOtherThanNeutral();

  const layers = keys.size("block_count");
  const width = keys.size("embedding_length");
  const heads = keys.size("attention.head_count");
  const keyValueHeads = keys.size("attention.head_count_kv", heads);
  const headSize = keys.size("attention.key_length", width / heads);
  const contextLength = keys.size("context_length");
  if (heads % keyValueHeads !== 0) {
    throw corruptModel(file, `${heads} heads cannot share ${keyValueHeads} key-value heads`);
  }
  if (headSize % 2 !== 0)
    throw corruptModel(file, `a head of ${headSize} dimensions cannot be rotated in pairs`);
  keys.refuseUnless("attention.value_length", headSize, "values as long as keys");
  keys.refuseUnless("rope.dimension_count", headSize, "rotation of whole heads");
  const window = keys.size("attention.sliding_window", 0, 0);
  if (window > 0 && window < contextLength) keys.refuse("attention.sliding_window", window);

  const embeddingRows = tensors.get("token_embd.weight")?.shape[0];
  if (embeddingRows === undefined) throw corruptModel(file, 'the tensor "token_embd.weight" is missing');
  return {
    architecture,
    layers,
    width,
    heads,
    keyValueHeads,
    headSize,
    feedForwardWidth: keys.size("feed_forward_length"),
    embeddingRows,
    vocabularySize: countTokens(file, metadata, embeddingRows),
    contextLength,
    normEpsilon: keys.positive("attention.layer_norm_rms_epsilon"),
    ropeTheta: keys.positive("rope.freq_base", 10_000),
  };
}

function countTokens(file: string, metadata: GgufHeader["metadata"], embeddingRows: number): number {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (!Array.isArray(tokens) || tokens.length === 0) {
    throw corruptModel(file, 'the list of tokens "tokenizer.ggml.tokens" is missing');
  }
  if (tokens.length > embeddingRows) {
    throw corruptModel(file, `it has ${tokens.length} tokens but only ${embeddingRows} rows of embeddings`);
  }
  return tokens.length;
}

/** Reads the keys of one architecture and says what is wrong with them. */
class ConfigKeys {
  readonly #file: string;
  readonly #architecture: string;
  readonly #metadata: GgufHeader["metadata"];

  constructor(file: string, architecture: string, metadata: GgufHeader["metadata"]) {
    this.#file = file;
    this.#architecture = architecture;
    this.#metadata = metadata;
  }

  /** A whole number from `least` up; one number per layer passes where all are equal. */
  size(key: string, fallback?: number, least = 1): number {
    const value = this.#sameForAllLayers(key) ?? fallback;
    if (value === undefined) throw this.#missing(key);
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= LARGEST_SIZE)
      return value;
    throw corruptModel(
      this.#file,
      `"${this.#name(key)}" is ${String(value)}, no whole number from ${least} to ${LARGEST_SIZE}`,
    );
  }

  /** A finite number above 0. */
  positive(key: string, fallback?: number): number {
    const value = this.#get(key) ?? fallback;
    if (value === undefined) throw this.#missing(key);
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw corruptModel(this.#file, `"${this.#name(key)}" is ${String(value)}, no number above 0`);
  }

  refuseUnless(key: string, expected: number, why: string): void {
    const value = this.#sameForAllLayers(key);
    if (value !== undefined && value !== expected) this.refuse(key, value, `${why}, here ${expected}`);
  }

  refuseOtherThanNeutral(): void {
    for (const [key, neutral] of Object.entries(NEUTRAL_VALUES)) {
      const value = this.#get(key);
      if (value !== undefined && !neutral.includes(value)) this.refuse(key, value);
    }
  }

  refuse(key: string, value: unknown, need?: string): never {
    const text = typeof value === "string" ? JSON.stringify(value) : String(value);
    throw new DecodingError("UNSUPPORTED_MODEL", {
      message: `"${this.#file}" sets "${this.#name(key)}" to ${text}, which the graph cannot compute${need ? ` (it needs ${need})` : ""}.`,
      fix: "Use another model; computing this one without the setting would give wrong text.",
    });
  }

  #sameForAllLayers(key: string): unknown {
    const value = this.#get(key);
    if (!ArrayBuffer.isView(value)) return value;
    const perLayer = Array.from(value as unknown as ArrayLike<number | bigint>, Number);
    if (perLayer.length > 0 && perLayer.every((each) => each === perLayer[0])) return perLayer[0];
    return this.refuse(
      key,
      `[${perLayer.slice(0, 8).join(", ")}${perLayer.length > 8 ? ", …" : ""}]`,
      "one value for all layers",
    );
  }

  #get(key: string): unknown {
    return this.#metadata.get(this.#name(key));
  }

  #name(key: string): string {
    return `${this.#architecture}.${key}`;
  }

  #missing(key: string): DecodingError {
    return corruptModel(this.#file, `the key "${this.#name(key)}" is missing`);
  }
}
