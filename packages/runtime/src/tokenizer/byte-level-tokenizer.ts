import {
  type ChatMessage,
  type ChatTemplateOptions,
  DecodingError,
  type RenderedChat,
  type TokenId,
  type Tokenizer,
} from "@foretoken/core";
import { PreTrainedTokenizer } from "@huggingface/transformers";
import { bytesOfEntry } from "./byte-alphabet.ts";
import { type ChatTemplate, chatTemplate, templateMessages } from "./chat-template.ts";
import { type ControlToken, type ControlTokenGuard, controlTokens } from "./control-tokens.ts";
import { streamDecoder } from "./text-decoder.ts";

/** What a byte-level BPE tokenizer is made of, whatever file it came from. */
export interface TokenizerDefinition {
  /** The written form of every token, by id; holes are ids without a token. */
  readonly entries: readonly (string | undefined)[];
  readonly control: readonly ControlToken[];
  /** Tokens matched as whole words before anything else, though they are ordinary text. */
  readonly added: ReadonlyArray<{ readonly id: TokenId; readonly content: string }>;
  /** Pairs to merge, best first: `"a b"` or `["a", "b"]`. */
  readonly merges: ReadonlyArray<string | readonly [string, string]>;
  readonly ignoreMerges: boolean;
  /** As in `tokenizer.json`. */
  readonly normalizer: unknown;
  readonly preTokenizer: unknown;
  readonly beginTokens: readonly TokenId[];
  /** Tokens the file says end an answer; the template's turn end is added. */
  readonly endTokens: readonly TokenId[];
  /** The control tokens that templates know as `bos_token` and `eos_token`. */
  readonly templateVariables: Readonly<Record<string, string>>;
  readonly chatTemplate: string | undefined;
}

const utf8 = new TextEncoder();

/** A tokenizer of the GPT-2 kind: byte pairs merged over an alphabet of 256 bytes. */
export function byteLevelTokenizer(definition: TokenizerDefinition): Tokenizer {
  const { entries } = definition;
  const control = controlTokens(definition.control);
  const controlText = new Map(definition.control.map(({ id, text }) => [id, text]));
  const addedText = new Map(definition.added.map(({ id, content }) => [id, content]));
  const model = textModel(definition);
  const template = definition.chatTemplate
    ? chatTemplate(definition.chatTemplate, definition.templateVariables)
    : undefined;

  const bytes = new Array<Uint8Array | undefined>(entries.length);
  const entry = (token: TokenId): string => {
    const text = entries[token];
    if (text !== undefined) return text;
    throw new DecodingError("UNKNOWN_TOKEN", {
      message: `Token ${token} is not in the vocabulary of ${entries.length} tokens.`,
      fix: "Give token ids of this model's own tokenizer.",
    });
  };
  const tokenBytes = (token: TokenId): Uint8Array => {
    bytes[token] ??= controlText.has(token)
      ? new Uint8Array(0)
      : addedText.has(token)
        ? utf8.encode(addedText.get(token))
        : bytesOfEntry(entry(token));
    return bytes[token];
  };

  const encodePlain = (text: string): readonly TokenId[] =>
    text === "" ? [] : model.encode(text, { add_special_tokens: false });

  const encodeWithControl = (text: string, reveal = (piece: string) => piece): TokenId[] =>
    control
      .split(text)
      .flatMap((piece) => ("control" in piece ? [piece.control] : encodePlain(reveal(piece.text))));

  const startsWithBegin = (tokens: readonly TokenId[]) =>
    definition.beginTokens.every((token, i) => tokens[i] === token);

  return {
    vocabularySize: entries.length,
    specialTokens: controlText,
    beginTokens: definition.beginTokens,
    endTokens: endTokens(definition, template),
    hasChatTemplate: template !== undefined,

    encode(text, { special = false, begin = false } = {}) {
      const tokens = special ? encodeWithControl(text) : encodePlain(text);
      return begin ? [...definition.beginTokens, ...tokens] : tokens;
    },

    decode(tokens, { special = false } = {}) {
      const stream = streamDecoder((token) =>
        special && controlText.has(token) ? utf8.encode(controlText.get(token)) : tokenBytes(token),
      );
      return stream.push(tokens) + stream.flush();
    },

    tokenBytes,

    renderChat(messages, options = {}) {
      if (!template) {
        throw new DecodingError("NO_CHAT_TEMPLATE", {
          message: "This model's file has no chat template, and none is guessed.",
          fix: "Give a prompt instead of messages, written the way this model expects it.",
        });
      }
      const { guard, text, automaticSystem } = renderGuarded(template, messages, options, control.guard);
      const tokens = encodeWithControl(text, guard.reveal);
      return {
        tokens: startsWithBegin(tokens) ? tokens : [...definition.beginTokens, ...tokens],
        text: guard.reveal(text),
        automaticSystem: automaticSystem && guard.reveal(automaticSystem),
      };
    },

    streamDecoder: () => streamDecoder(tokenBytes),
  };
}

/** Renders a conversation whose control tokens are all the template's own. */
function renderGuarded(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  { continueFinalMessage, now = new Date() }: ChatTemplateOptions,
  makeGuard: (texts: readonly string[]) => ControlTokenGuard,
): { guard: ControlTokenGuard; text: string } & Pick<RenderedChat, "automaticSystem"> {
  const plain = templateMessages(messages);
  const guard = makeGuard([template.source, ...plain.flatMap(({ role, content }) => [role, content])]);
  const guarded = plain.map(({ role, content }) => ({
    role: guard.hide(role),
    content: guard.hide(content),
  }));

  const last = plain.length - 1;
  const endsWithAssistant = plain[last].role === "assistant";
  if (continueFinalMessage && !endsWithAssistant) {
    throw new DecodingError("INVALID_MESSAGES", {
      message: `messages[${last}] (role "${plain[last].role}") cannot be continued; only an assistant's can.`,
      fix: "End with the beginning of the assistant's answer, or leave continueFinalMessage out.",
    });
  }
  const continues = continueFinalMessage ?? endsWithAssistant;
  const marker = guard.unused();
  const rendering = {
    addGenerationPrompt: !continues,
    continueFinalMessage: continues,
    now,
    marker,
  };
  return {
    guard,
    text: template.render(guarded, rendering),
    automaticSystem: template.automaticSystem(guarded, rendering),
  };
}

/** The library's model of everything but control tokens, which it therefore can never produce. */
function textModel({ entries, control, added, merges, ...rest }: TokenizerDefinition): PreTrainedTokenizer {
  const controlIds = new Set(control.map(({ id }) => id));
  const vocabulary: [string, TokenId][] = [];
  entries.forEach((text, id) => {
    if (text !== undefined && !controlIds.has(id)) vocabulary.push([text, id]);
  });
  const tokenizer = {
    version: "1.0",
    added_tokens: added.map((token) => ({ ...token, special: false, normalized: false })),
    normalizer: rest.normalizer,
    pre_tokenizer: rest.preTokenizer,
    post_processor: null,
    decoder: null,
    model: {
      type: "BPE",
      vocab: Object.fromEntries(vocabulary),
      merges,
      ignore_merges: rest.ignoreMerges,
    },
  };
  return new PreTrainedTokenizer(tokenizer, {});
}

/** The file's own end tokens, and the control token with which the template ends an assistant's turn. */
function endTokens(definition: TokenizerDefinition, template: ChatTemplate | undefined): Set<TokenId> {
  const end = new Set(definition.endTokens);
  const turnEnd = template?.turnEnd()?.trimStart() ?? "";
  const [first] = controlTokens(definition.control).split(turnEnd);
  if (first && "control" in first) end.add(first.control);
  return end;
}
