import { DecodingError } from "./errors.ts";
import type { SamplingOptions } from "./sampling.ts";
import { showValue } from "./show-value.ts";

type NumericOption = {
  [Name in keyof SamplingOptions]-?: number extends SamplingOptions[Name] ? Name : never;
}[keyof SamplingOptions];

/** What each numeric option must be, and whether a value is. NaN is none of it. */
const NUMBERS: Readonly<Record<NumericOption, { readonly range: string; isRight(value: number): boolean }>> =
  {
    temperature: {
      range: "a finite number of at least 0",
      isRight: (value) => value >= 0 && Number.isFinite(value),
    },
    topK: {
      range: "a whole number of at least 0",
      isRight: (value) => value >= 0 && Number.isInteger(value),
    },
    topP: { range: "a number above 0 and at most 1", isRight: (value) => value > 0 && value <= 1 },
    minP: { range: "a number from 0 to 1", isRight: (value) => value >= 0 && value <= 1 },
    repetitionPenalty: {
      range: "a finite number above 0",
      isRight: (value) => value > 0 && Number.isFinite(value),
    },
    presencePenalty: { range: "a finite number", isRight: Number.isFinite },
    frequencyPenalty: { range: "a finite number", isRight: Number.isFinite },
  };

/** @throws `INVALID_OPTION` naming option, value and range. */
export function checkSampling(options: SamplingOptions, vocabularySize: number): void {
  for (const [name, { range, isRight }] of Object.entries(NUMBERS)) {
    const value: unknown = options[name as NumericOption];
    if (value !== undefined && !(typeof value === "number" && isRight(value)))
      throw wrong(name, value, range);
  }
  const { penalizePrompt, bias = {}, bannedTokens = [], processors = [] } = options;
  if (penalizePrompt !== undefined && typeof penalizePrompt !== "boolean") {
    throw wrong("penalizePrompt", penalizePrompt, "true or false");
  }
  if (typeof bias !== "object" || bias === null || Array.isArray(bias)) {
    throw wrong("bias", bias, "an object of numbers by token");
  }
  for (const [token, value] of Object.entries(bias)) {
    checkToken("bias", Number(token), vocabularySize);
    if (typeof value !== "number" || Number.isNaN(value) || value === Number.POSITIVE_INFINITY) {
      throw wrong(`bias of token ${token}`, value, "a finite number, or -Infinity to ban the token");
    }
  }
  if (!Array.isArray(bannedTokens)) throw wrong("bannedTokens", bannedTokens, "a list of tokens");
  for (const token of bannedTokens) checkToken("bannedTokens", token, vocabularySize);
  if (!Array.isArray(processors)) throw wrong("processors", processors, "a list of processors");
  for (const processor of processors) {
    const { name, init, advance, apply } = processor ?? {};
    const isProcessor =
      typeof name === "string" && [init, advance, apply].every((member) => typeof member === "function");
    if (!isProcessor) throw wrong("processors", processors, "a list of { name, init, advance, apply }");
  }
}

function checkToken(name: string, token: unknown, vocabularySize: number): void {
  if (Number.isInteger(token) && (token as number) >= 0 && (token as number) < vocabularySize) return;
  throw new DecodingError("INVALID_OPTION", {
    message: `${name} names token ${showValue(token)}, but the vocabulary is 0 to ${vocabularySize - 1}.`,
    fix: "Name tokens by their ids in this model's vocabulary.",
  });
}

function wrong(name: string, value: unknown, range: string): DecodingError {
  return new DecodingError("INVALID_OPTION", {
    message: `${name} is ${showValue(value)}, but must be ${range}.`,
    fix: `Pass such a value, or leave ${name} out.`,
  });
}
