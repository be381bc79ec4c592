import {
  type ChatMessage,
  DecodingError,
  type RenderedChat,
  type StreamDecoder,
  type TokenId,
  type Tokenizer,
} from "@foretoken/core";

/** How a scripted model writes. */
export interface ScriptedTokenizerOptions {
  /** Text or bytes of each token; default letters `a` to `z`, then `<26>` and so on. */
  readonly texts?: readonly (string | Uint8Array)[];
  /** Default none. */
  readonly endTokens?: readonly TokenId[];
  /** Tokens put in front of a text that asks for it. Default none. */
  readonly beginTokens?: readonly TokenId[];
  /** Control tokens: shown only where asked for, and made from text only where asked for. Default the end and begin tokens. */
  readonly specialTokens?: readonly TokenId[];
  /** Writes a conversation as text; without it there is no chat template. */
  readonly chatTemplate?: (messages: readonly ChatMessage[]) => string;
}

/** A tokenizer with one text for each token; encoding takes the longest token that fits. */
export function scriptedTokenizer(
  vocabularySize: number,
  { texts, endTokens = [], beginTokens = [], specialTokens, chatTemplate }: ScriptedTokenizerOptions = {},
): Tokenizer {
  const encoder = new TextEncoder();
  const bytes = Array.from({ length: vocabularySize }, (_, token) => {
    const text = texts === undefined ? letterOf(token) : (texts[token] ?? "");
    return typeof text === "string" ? encoder.encode(text) : text;
  });
  const special = new Map<TokenId, string>();
  for (const token of specialTokens ?? [...endTokens, ...beginTokens]) {
    special.set(token, new TextDecoder().decode(bytes[token]));
  }
  const tokenBytes = (token: TokenId) =>
    special.has(token) ? new Uint8Array() : (bytes[token] ?? new Uint8Array());
  const encode = (text: string, allowSpecial: boolean): TokenId[] => {
    const input = encoder.encode(text);
    const tokens: TokenId[] = [];
    for (let at = 0; at < input.length; ) {
      const token = longestAt(bytes, input, at, (id) => allowSpecial || !special.has(id));
      if (token === undefined) {
        throw new DecodingError("UNKNOWN_TOKEN", {
          message: `No token fits ${JSON.stringify(text)} at byte ${at}.`,
          fix: "Give the scripted tokenizer a text for it.",
        });
      }
      tokens.push(token);
      at += bytes[token]!.length;
    }
    return tokens;
  };
  return {
    vocabularySize,
    specialTokens: special,
    beginTokens,
    endTokens: new Set(endTokens),
    hasChatTemplate: chatTemplate !== undefined,
    encode: (text, options) => [
      ...(options?.begin ? beginTokens : []),
      ...encode(text, options?.special ?? false),
    ],
    decode: (tokens, options) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(
        join(tokens.map((token) => (options?.special ? bytes[token]! : tokenBytes(token)))),
      ),
    tokenBytes,
    renderChat: (messages): RenderedChat => {
      if (chatTemplate === undefined) {
        throw new DecodingError("NO_CHAT_TEMPLATE", {
          message: "The scripted model has no chat template.",
          fix: "Pass a prompt, or give the model a chatTemplate.",
        });
      }
      const text = chatTemplate(messages);
      return { tokens: encode(text, true), text };
    },
    streamDecoder: (): StreamDecoder => {
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      return {
        push: (tokens) => decoder.decode(join(tokens.map(tokenBytes)), { stream: true }),
        flush: () => decoder.decode(),
      };
    },
  };
}

function letterOf(token: TokenId): string {
  return token < 26 ? String.fromCharCode(97 + token) : `<${token}>`;
}

function longestAt(
  bytes: readonly Uint8Array[],
  input: Uint8Array,
  at: number,
  isAllowed: (token: TokenId) => boolean,
): TokenId | undefined {
  let best: TokenId | undefined;
  for (const [token, piece] of bytes.entries()) {
    const fits = piece.length > (best === undefined ? 0 : bytes[best]!.length);
    if (fits && isAllowed(token) && piece.every((byte, index) => input[at + index] === byte)) best = token;
  }
  return best;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
