import type { FinishReason } from "./decoder.ts";
import { DecodingError } from "./errors.ts";
import type { StopState } from "./stop.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { TokenId } from "./tokens.ts";

/** What ends an answer. */
export interface StopRuleOptions {
  readonly endTokens: Iterable<TokenId>;
  /** Texts, none of them empty. */
  readonly stop: readonly string[];
  /** Default: as many as the context has room for. */
  readonly maxTokens: number | undefined;
  /** Tokens the context has room for behind the prompt. */
  readonly contextRoom: number;
  /** Needed for stop strings. */
  readonly tokenizer: Pick<Tokenizer, "tokenBytes"> | undefined;
}

interface Rule {
  readonly endTokens: ReadonlySet<TokenId>;
  /** UTF-8 bytes as one character each, so that strings can be searched for bytes. */
  readonly stops: readonly string[];
  readonly tailLength: number;
  readonly bytesOf: (token: TokenId) => string;
}

/**
 * The stop rule before the first token. Where several reasons meet in one token, the first of end token, stop string,
 * token budget and context limit is told.
 *
 * @throws `INVALID_OPTION` for an empty stop string, and for stop strings without a tokenizer.
 */
export function stopRule({ endTokens, stop, maxTokens, contextRoom, tokenizer }: StopRuleOptions): StopState {
  if (stop.length > 0 && tokenizer === undefined) {
    throw new DecodingError("INVALID_OPTION", {
      message: `stop is ${JSON.stringify(stop)}, but this model has no tokenizer to look for text with.`,
      fix: "Leave stop out, and end the answer by endTokens or maxTokens.",
    });
  }
  if (stop.includes("")) {
    throw new DecodingError("INVALID_OPTION", {
      message: `stop is ${JSON.stringify(stop)}, but an empty text would end every answer at once.`,
      fix: "Leave the empty text out.",
    });
  }
  const stops = stop.map((text) => asBytes(new TextEncoder().encode(text)));
  const rule: Rule = {
    endTokens: new Set(endTokens),
    stops,
    tailLength: Math.max(0, ...stops.map((text) => text.length - 1)),
    bytesOf: (token) => asBytes(tokenizer!.tokenBytes(token)),
  };
  const budget = maxTokens ?? Number.POSITIVE_INFINITY;
  return stateOf(rule, "", budget, contextRoom, roomReason(budget, contextRoom));
}

function stateOf(
  rule: Rule,
  tail: string,
  budget: number,
  room: number,
  finish: FinishReason | undefined,
): StopState {
  return {
    finish,
    remaining: finish === undefined ? Math.min(budget, room) : 0,
    advance: (token) => {
      let text = "";
      let reason: FinishReason | undefined;
      if (rule.endTokens.has(token)) reason = "end";
      else if (rule.stops.length > 0) {
        text = tail + rule.bytesOf(token);
        if (rule.stops.some((stop) => text.includes(stop))) reason = "stop";
      }
      const kept = rule.tailLength === 0 ? "" : text.slice(-rule.tailLength);
      return stateOf(rule, kept, budget - 1, room - 1, reason ?? roomReason(budget - 1, room - 1));
    },
  };
}

function roomReason(budget: number, room: number): FinishReason | undefined {
  if (budget <= 0) return "length";
  return room <= 0 ? "context" : undefined;
}

function asBytes(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
