/** The tensor formats a GGUF file may store and this runtime reads. */
export type StoredType =
  | "F32"
  | "F16"
  | "BF16"
  | "Q4_0"
  | "Q4_1"
  | "Q5_0"
  | "Q5_1"
  | "Q8_0"
  | "Q4_K"
  | "Q5_K"
  | "Q6_K";

/** What a tensor does in the decoder, independent of the names any file format uses. */
export type LayerRole =
  | "attentionNorm"
  | "query"
  | "queryBias"
  | "queryNorm"
  | "key"
  | "keyBias"
  | "keyNorm"
  | "value"
  | "valueBias"
  | "attentionOutput"
  | "feedForwardNorm"
  | "gate"
  | "up"
  | "down";

/**
 * `head` is absent when the embedding is tied; `ropeFactors` only where the file scales frequencies. `inputProjection`
 * `[D, 2 D]` joins each row's embedding with its feature, in that order: draft heads only.
 */
export type WeightRole =
  | "embedding"
  | "inputProjection"
  | "finalNorm"
  | "head"
  | "ropeFactors"
  | `layers.${number}.${LayerRole}`;

/** One tensor as the file stores it. */
export interface StoredTensor {
  readonly role: WeightRole;
  /** Row-major, outermost first: `[outputs, inputs]` for matrices, `[n]` for vectors. */
  readonly shape: readonly number[];
  readonly type: StoredType;
  /**
   * Reads the stored bytes; nothing is kept afterwards. Rows of `query` and `key` (and their biases) come in
   * the *half-split* rotary order (dimension `i` pairs with `i + headSize / 2`), whatever the file's order is.
   */
  read(): Promise<Uint8Array>;
}

/** The sizes and constants of a decoder of the llama family. */
export interface ModelConfig {
  /** As the file names it: `llama`, `qwen2`, `qwen3`. */
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly feedForwardWidth: number;
  /** Rows of the embedding; tokens the tokenizer knows may be fewer. */
  readonly embeddingRows: number;
  /** Tokens of the vocabulary; ids at and above it are padding and never leave a law. */
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly normEpsilon: number;
  readonly ropeTheta: number;
}

/** A model's weights by role, read lazily from wherever they lie. */
export interface ModelWeights {
  readonly config: ModelConfig;
  /** SHA-256 of the whole source, hex; identifies written graphs, heads and tables. */
  readonly contentHash: string;
  /** File metadata as stored, for the tokenizer and for `doctor`. */
  readonly metadata: ReadonlyMap<string, unknown>;
  /** The tensor with this role, or `undefined` when the model has none. */
  tensor(role: WeightRole): StoredTensor | undefined;
  /** Closes the source. */
  dispose(): Promise<void>;
}
