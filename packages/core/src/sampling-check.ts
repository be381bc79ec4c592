import { DecodingError } from "./errors.ts";
import type { SamplingOptions } from "./sampling.ts";

/** Ranges of the numeric options: least, most, and whether the least itself is allowed. */
const RANGES = {
  temperature: [0, Number.POSITIVE_INFINITY, true],
  topK: [0, Number.POSITIVE_INFINITY, true],
  topP: [0, 1, false],
  minP: [0, 1, true],
  repetitionPenalty: [0, Number.POSITIVE_INFINITY, false],
  presencePenalty: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, false],
  frequencyPenalty: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, false],
} as const;

/** @throws `INVALID_OPTION` naming option, value and range. */
export function checkSampling(options: SamplingOptions, vocabularySize: number): void {
  for (const [name, [least, most, isIncluded]] of Object.entries(RANGES)) {
    const value = options[name as keyof typeof RANGES];
    if (value === undefined) continue;
    const isInside =
      typeof value === "number" && (isIncluded ? value >= least : value > least) && value <= most;
    const isWhole = name !== "topK" || Number.isInteger(value);
    if (!isInside || !isWhole || value === Number.POSITIVE_INFINITY) {
      const range = `${isIncluded ? "at least" : "above"} ${least}${most === 1 ? " and at most 1" : ""}`;
      throw new DecodingError("INVALID_OPTION", {
        message: `${name} is ${String(value)}, but must be a ${name === "topK" ? "whole " : ""}number ${
          Number.isFinite(least) ? range : "that is finite"
        }.`,
        fix: `Pass such a number, or leave ${name} out.`,
      });
    }
  }
  for (const token of options.bannedTokens ?? []) checkToken("bannedTokens", token, vocabularySize);
  for (const [token, bias] of Object.entries(options.bias ?? {})) {
    checkToken("bias", Number(token), vocabularySize);
    if (typeof bias !== "number" || Number.isNaN(bias) || bias === Number.POSITIVE_INFINITY) {
      throw new DecodingError("INVALID_OPTION", {
        message: `bias of token ${token} is ${String(bias)}, but must be a finite number or -Infinity.`,
        fix: "Pass such a number; -Infinity bans the token.",
      });
    }
  }
}

function checkToken(name: string, token: number, vocabularySize: number): void {
  if (Number.isInteger(token) && token >= 0 && token < vocabularySize) return;
  throw new DecodingError("INVALID_OPTION", {
    message: `${name} names token ${token}, but the vocabulary is 0 to ${vocabularySize - 1}.`,
    fix: "Name tokens by their ids in this model's vocabulary.",
  });
}
