import { DecodingError, type TokenId, type Tokenizer } from "@foretoken/core";
import { byteLevelTokenizer } from "./byte-level-tokenizer.ts";
import { withUnicodeDigits } from "./pre-tokenizers.ts";

/** The files of a Hugging Face model folder, parsed. */
export interface TokenizerFiles {
  /** `tokenizer.json` */
  readonly tokenizer: unknown;
  /** `tokenizer_config.json` */
  readonly config: unknown;
  /** `chat_template.jinja`; newer folders keep the template there. */
  readonly chatTemplate?: string;
}

interface TokenizerJson {
  readonly added_tokens?: ReadonlyArray<{
    readonly id: TokenId;
    readonly content: string;
    readonly special?: boolean;
    readonly lstrip?: boolean;
    readonly rstrip?: boolean;
  }>;
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
  readonly post_processor?: PostProcessor | null;
  readonly decoder?: Part | null;
  readonly model?: {
    readonly type?: string;
    readonly vocab?: Readonly<Record<string, TokenId>>;
    readonly merges?: ReadonlyArray<string | readonly [string, string]>;
    readonly ignore_merges?: boolean;
  };
}

interface Part {
  readonly type: string;
  readonly decoders?: readonly Part[];
}

interface PostProcessor {
  readonly type: string;
  readonly processors?: readonly PostProcessor[];
  readonly single?: ReadonlyArray<{ readonly SpecialToken?: { readonly id: string } }>;
  readonly special_tokens?: Readonly<Record<string, { readonly ids: readonly TokenId[] }>>;
}

/** Settings name a token by its text, or by an object that holds it. */
type NamedToken = string | { readonly content: string } | null;

interface TokenizerConfig {
  readonly add_bos_token?: boolean;
  readonly bos_token?: NamedToken;
  readonly eos_token?: NamedToken;
  readonly chat_template?: string | ReadonlyArray<{ readonly name: string; readonly template: string }>;
}

/**
 * The tokenizer of a Hugging Face model folder.
 *
 * @throws `DecodingError` `UNSUPPORTED_MODEL` for another tokenizer than byte-level BPE.
 */
export function tokenizerFromFiles(files: TokenizerFiles): Tokenizer {
  const tokenizer = (files.tokenizer ?? {}) as TokenizerJson;
  const config = (files.config ?? {}) as TokenizerConfig;
  const { vocab, merges } = tokenizer.model ?? {};
  const decoders = tokenizer.decoder?.decoders ?? [tokenizer.decoder];
  const isByteLevel = decoders.some((decoder) => decoder?.type === "ByteLevel");
  if (!vocab || !merges || !isByteLevel) {
    throw new DecodingError("UNSUPPORTED_MODEL", {
      message: `tokenizer.json holds a ${tokenizer.model?.type ?? "missing"} model with decoder ${JSON.stringify(tokenizer.decoder?.type) ?? "missing"}; only byte-level BPE is read.`,
      fix: "Use a model with a byte-level BPE tokenizer: SmolLM, Llama 3, Qwen 2 and 3.",
    });
  }

  const addedTokens = tokenizer.added_tokens ?? [];
  const entries: (string | undefined)[] = [];
  for (const [text, id] of Object.entries(vocab)) entries[id] = text;
  for (const { id, content } of addedTokens) entries[id] = content;
  const idOf = (token: string | undefined) => (token ? entries.indexOf(token) : -1);

  const bos = textOf(config.bos_token);
  const eos = textOf(config.eos_token);
  const fromPostProcessor = beginTokens(tokenizer.post_processor);
  const begin = config.add_bos_token === true && idOf(bos) >= 0 ? [idOf(bos)] : fromPostProcessor;
  return byteLevelTokenizer({
    // A fresh array has no holes, which `entries` above may have.
    entries: Array.from(entries),
    control: addedTokens
      .filter(({ special }) => special)
      .map(({ id, content, lstrip, rstrip }) => ({
        id,
        text: content,
        stripsLeft: lstrip,
        stripsRight: rstrip,
      })),
    added: addedTokens.filter(({ special }) => !special),
    merges,
    ignoreMerges: tokenizer.model?.ignore_merges ?? false,
    normalizer: tokenizer.normalizer ?? null,
    preTokenizer: withUnicodeDigits(tokenizer.pre_tokenizer ?? null),
    beginTokens: config.add_bos_token === false ? [] : begin,
    endTokens: [idOf(eos)].filter((id) => id >= 0),
    templateVariables: { bos_token: bos ?? "", eos_token: eos ?? "" },
    chatTemplate: files.chatTemplate ?? defaultTemplate(config),
  });
}

const textOf = (token: NamedToken | undefined) => (typeof token === "string" ? token : token?.content);

function defaultTemplate({ chat_template: template }: TokenizerConfig): string | undefined {
  if (typeof template === "string") return template;
  return template?.find(({ name }) => name === "default")?.template;
}

/** The tokens a post-processor puts before a text. */
function beginTokens(processor: PostProcessor | null | undefined): readonly TokenId[] {
  if (!processor) return [];
  if (processor.processors) return processor.processors.flatMap(beginTokens);
  const begin: TokenId[] = [];
  for (const { SpecialToken: token } of processor.single ?? []) {
    if (!token) break;
    begin.push(...(processor.special_tokens?.[token.id]?.ids ?? []));
  }
  return begin;
}
