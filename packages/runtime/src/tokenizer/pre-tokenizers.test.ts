import { expect, test } from "vitest";
import { BYTE_CHARACTERS } from "./byte-alphabet.ts";
import { tokenizerFromGguf } from "./gguf-tokenizer.ts";
import { tokenizerFromFiles } from "./tokenizer-files.ts";

/** Merges everything that stands in one word of these texts, so that token edges show word edges. */
const merges = ["1 2", "12 3", "123 4", "' L", "'L L", "L L", "' LL", "Ġ x", "Â ²", "Â ³", "Â² Â³"];
const entries = [...BYTE_CHARACTERS, ...merges.map((pair) => pair.replace(" ", ""))];
const text = "1234 x'LL ²³";

function words(tokenizer: ReturnType<typeof tokenizerFromGguf>): string[] {
  return tokenizer.encode(text).map((token) => tokenizer.decode([token]));
}

test.each([
  [undefined, ["1234", " x", "'", "LL", " ", "²³"]],
  ["gpt-2", ["1234", " x", "'", "LL", " ", "²³"]],
  ["smollm", ["1", "2", "3", "4", " x", "'", "LL", " ", "²", "³"]],
  ["qwen2", ["1", "2", "3", "4", " x", "'LL", " ", "²", "³"]],
  ["llama-bpe", ["123", "4", " x", "'LL", " ", "²³"]],
])("pre-tokenizer %s cuts words where its author's tokenizer does", (pre, expected) => {
  const metadata = new Map<string, unknown>([
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.tokens", entries],
    ["tokenizer.ggml.merges", merges],
  ]);
  if (pre) metadata.set("tokenizer.ggml.pre", pre);
  expect(words(tokenizerFromGguf(metadata))).toEqual(expected);
});

test("llama-bpe texts begin with the begin token unless the file says otherwise", () => {
  const metadata = new Map<string, unknown>([
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.tokens", entries],
    ["tokenizer.ggml.merges", merges],
    ["tokenizer.ggml.pre", "llama-bpe"],
    ["tokenizer.ggml.bos_token_id", 7],
  ]);
  expect(tokenizerFromGguf(metadata).beginTokens).toEqual([7]);
  metadata.set("tokenizer.ggml.add_bos_token", false);
  expect(tokenizerFromGguf(metadata).beginTokens).toEqual([]);
});

test("Digits of a tokenizer.json means every Unicode number", () => {
  const tokenizer = {
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Digits", individual_digits: true },
        { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      ],
    },
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: Object.fromEntries(entries.map((entry, id) => [entry, id])), merges },
  };
  expect(words(tokenizerFromFiles({ tokenizer, config: {} })).slice(-2)).toEqual(["²", "³"]);
});
