import type { Decoder } from "./decoder.ts";
import { DecodingError } from "./errors.ts";
import type { DecodeEmitter } from "./events.ts";
import type { Model } from "./model.ts";
import type { SamplingOptions } from "./sampling.ts";
import type { Session } from "./session.ts";
import type { ChatMessage } from "./tokenizer.ts";
import type { TokenId } from "./tokens.ts";

/** Options of `generate()` and `stream()`; exactly one of `prompt` and `messages` is given. */
export interface GenerateOptions extends SamplingOptions {
  /** Text as it is, or token ids. No chat template is applied. */
  readonly prompt?: string | readonly TokenId[];
  /** Whether the written form of control tokens in a text `prompt` becomes control tokens. Default `false`. */
  readonly parseSpecial?: boolean;
  /** A conversation, rendered with the model's own chat template. */
  readonly messages?: readonly ChatMessage[];
  /** Continue a final assistant message. Default: when the last role is `assistant`. */
  readonly continueFinalMessage?: boolean;
  /** The clock that templates with dates see. */
  readonly now?: Date;
  /** How to decode. Default `plain()`. */
  readonly decoder?: Decoder;
  /** A session to go on with: the prefix it shares with the prompt is not run again. Default: one for this call. */
  readonly session?: Session;
  /** Most tokens of output. Default: what the context has room for. */
  readonly maxTokens?: number;
  /** The answer ends before the first of these texts. */
  readonly stop?: readonly string[];
  /** Go on behind end tokens. Default `false`. */
  readonly ignoreEnd?: boolean;
  /** Tokens that end the answer, instead of the tokenizer's. */
  readonly endTokens?: readonly TokenId[];
  /** Whole number from 0 to 2^53 - 1; the same seed gives the same text. Default: a random one, told in the result. */
  readonly seed?: number;
  /** Report log-probabilities with this many top candidates each; 0 for the chosen token alone. Default: none. */
  readonly logProbabilities?: number;
  /** Most prompt rows of one pass. Default 128. */
  readonly prefillChunk?: number;
  readonly signal?: AbortSignal;
  readonly events?: DecodeEmitter;
}

const KNOWN: Readonly<Record<keyof GenerateOptions, true>> = {
  prompt: true,
  parseSpecial: true,
  messages: true,
  continueFinalMessage: true,
  now: true,
  decoder: true,
  session: true,
  maxTokens: true,
  stop: true,
  ignoreEnd: true,
  endTokens: true,
  seed: true,
  logProbabilities: true,
  prefillChunk: true,
  signal: true,
  events: true,
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  repetitionPenalty: true,
  presencePenalty: true,
  frequencyPenalty: true,
  penalizePrompt: true,
  bias: true,
  bannedTokens: true,
  processors: true,
};

/**
 * Checks what does not need the model.
 * @throws `INVALID_OPTION` naming option, value and range.
 */
export function checkOptions(options: GenerateOptions): void {
  for (const key of Object.keys(options)) {
    if (!(key in KNOWN)) {
      throw new DecodingError("INVALID_OPTION", {
        message: `There is no option ${key}.`,
        fix: `Options are ${Object.keys(KNOWN).join(", ")}.`,
      });
    }
  }
  whole(options, "maxTokens", 0);
  whole(options, "logProbabilities", 0);
  whole(options, "prefillChunk", 1);
  whole(options, "seed", 0);
  const { stop } = options;
  if (
    stop !== undefined &&
    (!Array.isArray(stop) || stop.some((text) => typeof text !== "string" || text === ""))
  ) {
    throw new DecodingError("INVALID_OPTION", {
      message: `stop is ${JSON.stringify(stop)}, but must be a list of texts that are not empty.`,
      fix: 'Pass stop: ["\\n\\n"], or leave it out.',
    });
  }
  if ((options.prompt === undefined) === (options.messages === undefined)) {
    throw new DecodingError("INVALID_OPTION", {
      message: `Got ${options.prompt === undefined ? "neither prompt nor messages" : "both prompt and messages"}.`,
      fix: "Pass prompt for a raw text, or messages for a conversation.",
    });
  }
}

function whole(
  options: GenerateOptions,
  name: "maxTokens" | "logProbabilities" | "prefillChunk" | "seed",
  least: number,
) {
  const value = options[name];
  if (value !== undefined && (!Number.isSafeInteger(value) || value < least)) {
    throw new DecodingError("INVALID_OPTION", {
      message: `${name} is ${value}, but must be a whole number of at least ${least}.`,
      fix: `Pass such a number, or leave ${name} out.`,
    });
  }
}

/**
 * The prompt as token ids `[P]`, `1 <= P < contextLength`.
 * @throws `EMPTY_PROMPT`, `PROMPT_TOO_LONG`, `UNKNOWN_TOKEN`, `UNSUPPORTED` for text without a tokenizer, and what
 * `renderChat` throws.
 */
export function promptTokens(model: Model, options: GenerateOptions): readonly TokenId[] {
  const tokens = readPrompt(model, options);
  if (tokens.length === 0) {
    throw new DecodingError("EMPTY_PROMPT", {
      message: "The prompt has no tokens.",
      fix: "Pass at least one character, token or message.",
    });
  }
  const foreign = tokens.find(
    (token) => !Number.isInteger(token) || token < 0 || token >= model.vocabularySize,
  );
  if (foreign !== undefined) {
    throw new DecodingError("UNKNOWN_TOKEN", {
      message: `The prompt holds token ${foreign}, but ${model.id} knows 0 to ${model.vocabularySize - 1}.`,
      fix: "Encode the prompt with this model's own tokenizer.",
    });
  }
  if (tokens.length >= model.contextLength) {
    throw new DecodingError("PROMPT_TOO_LONG", {
      message: `The prompt has ${tokens.length} tokens and ${model.id} a context of ${model.contextLength}: no room is left for an answer.`,
      fix: "Shorten the prompt; nothing is cut in silence.",
    });
  }
  return tokens;
}

function readPrompt({ tokenizer, id }: Model, options: GenerateOptions): readonly TokenId[] {
  const { prompt, messages, continueFinalMessage, now, parseSpecial } = options;
  if (Array.isArray(prompt)) return prompt;
  if (tokenizer === undefined) {
    throw new DecodingError("UNSUPPORTED", {
      message: `${id} has no tokenizer, so it takes token ids only.`,
      fix: "Pass prompt as a list of token ids.",
    });
  }
  if (messages !== undefined) return tokenizer.renderChat(messages, { continueFinalMessage, now }).tokens;
  return tokenizer.encode(prompt as string, { special: parseSpecial === true, begin: true });
}
