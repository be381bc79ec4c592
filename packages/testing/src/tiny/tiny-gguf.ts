import { mix } from "../scripted/context-node.ts";
import { type GgufTensor, ggufBytes } from "./gguf-bytes.ts";

/** Sizes of a {@link tinyGguf}. */
export interface TinySizes {
  /** `L`. Default 2. */
  readonly layers?: number;
  /** `D`, a multiple of `heads`. Default 64. */
  readonly width?: number;
  /** Default 4. */
  readonly heads?: number;
  /** A divisor of `heads`. Default 2. */
  readonly keyValueHeads?: number;
  /** Default 96. */
  readonly feedForwardWidth?: number;
  /** Most positions of one text. Default 128. */
  readonly contextLength?: number;
}

/** Control tokens of every tiny model; the 256 bytes follow, and then what merges of them give. */
const CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] as const;
const MERGES = ["t h", "th e", "i n"] as const;

/** Types of tokens in the metadata, as llama.cpp numbers them. */
const NORMAL_TOKEN = 1;
const CONTROL_TOKEN = 3;

const CHAT_TEMPLATE =
  "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/**
 * A small llama as a GGUF file: random weights, a token for every byte and a few for more, ChatML. The same bytes for the same seed and sizes on
 * every machine. It writes nothing sensible; its logits have a standard deviation of about 3.
 *
 * @param seed - A whole number.
 */
export function tinyGguf(seed: number, sizes: TinySizes = {}): Uint8Array<ArrayBuffer> {
  const {
    layers = 2,
    width = 64,
    heads = 4,
    keyValueHeads = 2,
    feedForwardWidth = 96,
    contextLength = 128,
  } = sizes;
  const headSize = width / heads;
  const tokens = [...CONTROL, ...byteTexts(), ...MERGES.map((merge) => merge.replace(" ", ""))];
  const tensors: GgufTensor[] = [];
  const matrix = (name: string, outputs: number, inputs: number, deviation: number) => {
    const values = noise(mix(seed, tensors.length), outputs * inputs, deviation);
    tensors.push({ name: `${name}.weight`, shape: [outputs, inputs], values });
  };
  const linear = (name: string, outputs: number, inputs: number) =>
    matrix(name, outputs, inputs, inputs ** -0.5);
  const norm = (name: string) => {
    const values = noise(mix(seed, tensors.length), width, 0.1).map((value) => 1 + value);
    tensors.push({ name: `${name}.weight`, shape: [width], values });
  };

  matrix("token_embd", tokens.length, width, 3 * width ** -0.5);
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `blk.${layer}.${part}`;
    norm(name("attn_norm"));
    linear(name("attn_q"), heads * headSize, width);
    linear(name("attn_k"), keyValueHeads * headSize, width);
    linear(name("attn_v"), keyValueHeads * headSize, width);
    linear(name("attn_output"), width, heads * headSize);
    norm(name("ffn_norm"));
    linear(name("ffn_gate"), feedForwardWidth, width);
    linear(name("ffn_up"), feedForwardWidth, width);
    linear(name("ffn_down"), width, feedForwardWidth);
  }
  norm("output_norm");

  return ggufBytes(
    {
      "general.architecture": "llama",
      "general.name": `tiny-${seed}`,
      "llama.block_count": { u32: layers },
      "llama.context_length": { u32: contextLength },
      "llama.embedding_length": { u32: width },
      "llama.feed_forward_length": { u32: feedForwardWidth },
      "llama.attention.head_count": { u32: heads },
      "llama.attention.head_count_kv": { u32: keyValueHeads },
      "llama.attention.layer_norm_rms_epsilon": { f32: 1e-5 },
      "llama.rope.freq_base": { f32: 10_000 },
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "smollm",
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.token_type": Int32Array.from(tokens, (_, id) =>
        id < CONTROL.length ? CONTROL_TOKEN : NORMAL_TOKEN,
      ),
      "tokenizer.ggml.merges": MERGES,
      "tokenizer.ggml.bos_token_id": { u32: 1 },
      "tokenizer.ggml.eos_token_id": { u32: 2 },
      "tokenizer.ggml.add_bos_token": false,
      "tokenizer.chat_template": CHAT_TEMPLATE,
    },
    tensors,
  );
}

/**
 * How byte-level BPE writes each byte: printable ones as they are, the others as letters from U+0100 on.
 *
 * @see `bytes_to_unicode` of https://github.com/openai/gpt-2/blob/master/src/encoder.py
 */
function byteTexts(): string[] {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(isPrintable ? byte : 256 + others++);
  });
}

/** Nearly normal numbers: sums of four uniforms, because logarithms differ between engines and sums do not. */
function noise(seed: number, count: number, deviation: number): Float32Array {
  const scale = deviation * Math.sqrt(3);
  return Float32Array.from({ length: count }, (_, at) => {
    let sum = -2;
    for (let part = 0; part < 4; part++) sum += mix(seed, 4 * at + part) / 2 ** 32;
    return scale * sum;
  });
}
