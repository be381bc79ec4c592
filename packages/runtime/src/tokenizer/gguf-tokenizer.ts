import { DecodingError, type TokenId, type Tokenizer } from "@foretoken/core";
import { byteLevelTokenizer } from "./byte-level-tokenizer.ts";
import { preTokenizerByName } from "./pre-tokenizers.ts";

/** Kinds of tokens in `tokenizer.ggml.token_type`. Source: `enum llama_token_type` of llama.h. */
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;

/**
 * The tokenizer a GGUF file describes in its metadata.
 *
 * @param metadata - The file's metadata as `ModelWeights` holds it.
 * @throws `DecodingError` `UNSUPPORTED_MODEL` for another tokenizer than byte-level BPE, `CORRUPT_MODEL` for
 * missing lists and for token ids outside the vocabulary.
 */
export function tokenizerFromGguf(metadata: ReadonlyMap<string, unknown>): Tokenizer {
  const kind = metadata.get("tokenizer.ggml.model");
  if (kind !== "gpt2") {
    throw new DecodingError("UNSUPPORTED_MODEL", {
      message: `The file's tokenizer (tokenizer.ggml.model) is ${JSON.stringify(kind) ?? "missing"}; only byte-level BPE ("gpt2") is read.`,
      fix: "Use a model with a byte-level BPE tokenizer: SmolLM, Llama 3, Qwen 2 and 3, Mistral Nemo's relatives.",
    });
  }
  const entries = texts(metadata, "tokens");
  const merges = texts(metadata, "merges");
  const kinds = (metadata.get("tokenizer.ggml.token_type") ?? []) as ArrayLike<number>;
  const preTokenizer = preTokenizerByName(metadata.get("tokenizer.ggml.pre") as string | undefined);

  const tokenId = (name: string): TokenId | undefined => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`);
    if (value === undefined) return undefined;
    const id = Number(value);
    if (Number.isInteger(id) && id >= 0 && id < entries.length) return id;
    throw new DecodingError("CORRUPT_MODEL", {
      message: `tokenizer.ggml.${name}_token_id is ${value}, but the vocabulary has ${entries.length} tokens.`,
      fix: "Correct the metadata, or fetch the file again.",
    });
  };
  const idsOfKind = (...wanted: readonly number[]) =>
    Array.from(entries.keys()).filter((id) => wanted.includes(kinds[id]));

  const begin = tokenId("bos");
  const end = tokenId("eos");
  const beginsTexts = metadata.get("tokenizer.ggml.add_bos_token") ?? preTokenizer.addsBegin;
  const template = metadata.get("tokenizer.chat_template");
  return byteLevelTokenizer({
    entries,
    control: idsOfKind(UNKNOWN, CONTROL).map((id) => ({ id, text: entries[id] })),
    added: idsOfKind(USER_DEFINED).map((id) => ({ id, content: entries[id] })),
    merges,
    ignoreMerges: preTokenizer.ignoreMerges,
    normalizer: preTokenizer.normalizer,
    preTokenizer: preTokenizer.pre_tokenizer,
    beginTokens: beginsTexts && begin !== undefined ? [begin] : [],
    endTokens: [end, tokenId("eot"), tokenId("eom")].filter((id) => id !== undefined),
    templateVariables: {
      bos_token: begin === undefined ? "" : entries[begin],
      eos_token: end === undefined ? "" : entries[end],
    },
    chatTemplate: typeof template === "string" && template.trim() !== "" ? template : undefined,
  });
}

/** A list of texts; an empty one may be missing or of any type. */
function texts(metadata: ReadonlyMap<string, unknown>, name: "tokens" | "merges"): readonly string[] {
  const key = `tokenizer.ggml.${name}`;
  const list = metadata.get(key) as ArrayLike<unknown> | undefined;
  if (list?.length && typeof list[0] === "string") return list as readonly string[];
  throw new DecodingError("CORRUPT_MODEL", {
    message: `The file has no list of texts ${key}, which its tokenizer needs.`,
    fix: "Convert the model again, with its tokenizer.",
  });
}
