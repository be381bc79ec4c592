import type { TokenId } from "./tokens.ts";

/** One part of a message's content; only text parts are understood. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** One turn of a conversation. */
export interface ChatMessage {
  readonly role: string;
  /** Text, or text parts that are joined. */
  readonly content: string | readonly TextPart[];
}

/** How a conversation is rendered. */
export interface ChatTemplateOptions {
  /** Continue a final assistant message instead of opening a new turn. Default: when the last role is `assistant`. */
  readonly continueFinalMessage?: boolean;
  /** The clock templates with dates see; default now. */
  readonly now?: Date;
}

/** A rendered conversation. */
export interface RenderedChat {
  readonly tokens: readonly TokenId[];
  readonly text: string;
  /** A system text the template added by itself, when it did. */
  readonly automaticSystem?: string;
}

/** Turns a stream of tokens into text, never showing half a character. */
export interface StreamDecoder {
  /** The text that became certain with these tokens; at most four bytes are held back. */
  push(tokens: readonly TokenId[]): string;
  /** The rest; incomplete bytes become U+FFFD. */
  flush(): string;
}

/** Text to tokens and back. */
export interface Tokenizer {
  /** Tokens the vocabulary knows. */
  readonly vocabularySize: number;
  /** Control tokens by id. */
  readonly specialTokens: ReadonlyMap<TokenId, string>;
  /** What the file puts before a text; often empty. */
  readonly beginTokens: readonly TokenId[];
  /** Tokens that end an answer. */
  readonly endTokens: ReadonlySet<TokenId>;
  readonly hasChatTemplate: boolean;
  /**
   * @param options.special - Whether the written form of control tokens becomes control tokens; default `false`.
   * @param options.begin - Whether `beginTokens` are put in front; default `false`.
   */
  encode(
    text: string,
    options?: { readonly special?: boolean; readonly begin?: boolean },
  ): readonly TokenId[];
  /** Text of tokens; control tokens are left out unless `special` is set. */
  decode(tokens: readonly TokenId[], options?: { readonly special?: boolean }): string;
  /** The bytes a token stands for; empty for control tokens. */
  tokenBytes(token: TokenId): Uint8Array;
  /**
   * Renders messages with the model's own template. Message content never becomes control tokens.
   * @throws `NO_CHAT_TEMPLATE`, `INVALID_MESSAGES`
   */
  renderChat(messages: readonly ChatMessage[], options?: ChatTemplateOptions): RenderedChat;
  streamDecoder(): StreamDecoder;
}
