import { DecodingError } from "@foretoken/core";

/** The part of a `tokenizer.json` that cuts text into words before byte pairs are merged. */
export interface PreTokenizer {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object;
  /** Whole words that are in the vocabulary are taken without merging. */
  readonly ignoreMerges: boolean;
  /** Whether texts begin with the begin token when the file does not say. */
  readonly addsBegin: boolean;
}

const byteLevel = (useRegex: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});

const split = (pattern: string) => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});

const sequence = (...pretokenizers: readonly object[]) => ({ type: "Sequence", pretokenizers });

/** The pattern of Llama 3 and Qwen 2, which differ in how many digits make a word. */
const wordsWithDigits = (digits: string) =>
  split(
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" +
      `${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
  );

const GPT2: PreTokenizer = {
  normalizer: null,
  pre_tokenizer: byteLevel(true),
  ignoreMerges: false,
  addsBegin: false,
};
const SINGLE_DIGITS: PreTokenizer = {
  ...GPT2,
  pre_tokenizer: sequence(split("\\p{N}"), byteLevel(true)),
};
const QWEN2: PreTokenizer = {
  ...GPT2,
  normalizer: { type: "NFC" },
  pre_tokenizer: sequence(wordsWithDigits("\\p{N}"), byteLevel(false)),
};
const LLAMA3: PreTokenizer = {
  normalizer: null,
  pre_tokenizer: sequence(wordsWithDigits("\\p{N}{1,3}"), byteLevel(false)),
  ignoreMerges: true,
  addsBegin: true,
};

/** By the name in `tokenizer.ggml.pre`. */
const BY_NAME: ReadonlyMap<string, PreTokenizer> = new Map([
  ["gpt-2", GPT2],
  ["smollm", SINGLE_DIGITS],
  ["starcoder", SINGLE_DIGITS],
  ["refact", SINGLE_DIGITS],
  ["qwen2", QWEN2],
  ["deepseek-r1-qwen", QWEN2],
  ["llama-bpe", LLAMA3],
  ["llama3", LLAMA3],
  ["llama-v3", LLAMA3],
]);

/**
 * The pre-tokenizer a GGUF file names. A wrong one gives fluent nonsense, so none is ever guessed.
 *
 * @param name - `tokenizer.ggml.pre`; files from before that key use GPT-2's.
 * @throws `DecodingError` `UNSUPPORTED_MODEL` for a name that is not known.
 * @see https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp for the names and patterns
 */
export function preTokenizerByName(name: string | undefined): PreTokenizer {
  const found = name === undefined ? GPT2 : BY_NAME.get(name);
  if (found) return found;
  throw new DecodingError("UNSUPPORTED_MODEL", {
    message: `The file's pre-tokenizer (tokenizer.ggml.pre) is "${name}"; known are ${[...BY_NAME.keys()].join(", ")}.`,
    fix: "Use a model with one of these pre-tokenizers.",
  });
}

/**
 * A `tokenizer.json` pre-tokenizer with `Digits` written as patterns: the library's own knows only the digits 0 to 9,
 * the format means every Unicode number.
 */
export function withUnicodeDigits(preTokenizer: unknown): unknown {
  const part = preTokenizer as {
    type?: string;
    individual_digits?: boolean;
    pretokenizers?: unknown[];
  } | null;
  if (part?.type === "Digits") return split(part.individual_digits ? "\\p{N}" : "\\p{N}+");
  if (part?.type !== "Sequence") return preTokenizer;
  return { ...part, pretokenizers: part.pretokenizers?.map(withUnicodeDigits) };
}
