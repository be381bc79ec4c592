import type { LogitsProcessor, SamplingOptions } from "@foretoken/core";
import { type Command, InvalidArgumentError } from "commander";
import { collect, collectWholes, parseNumber, parseWhole } from "./parse-number.ts";

/** Parsed flags of {@link addSamplingFlags}; processors are still names or JSON. */
export interface SamplingFlags extends Omit<SamplingOptions, "processors" | "bannedTokens"> {
  readonly ban?: readonly number[];
  readonly processor?: readonly string[];
}

/** Adds a flag for every sampling option. */
export function addSamplingFlags(command: Command): Command {
  return command
    .optionsGroup("Sampling:")
    .option("-t, --temperature <number>", "0 takes the most probable token (default: 0)", parseNumber)
    .option("--top-k <n>", "keep the n most probable tokens; 0 keeps all", parseWhole)
    .option("--top-p <share>", "keep the fewest tokens whose mass reaches this share", parseNumber)
    .option("--min-p <share>", "keep tokens at least so probable as this share of the best one", parseNumber)
    .option("--repetition-penalty <number>", "divide logits of tokens in prompt and answer", parseNumber)
    .option("--presence-penalty <number>", "subtract once from tokens in the answer", parseNumber)
    .option("--frequency-penalty <number>", "subtract for each time a token is in the answer", parseNumber)
    .option("--penalize-prompt", "presence and frequency penalties count the prompt too")
    .option("--bias <token=number>", "add to the logit of a token id; may be repeated", collectBias)
    .option("--ban <ids>", "token ids that are never drawn, with commas between", collectWholes)
    .option("--processor <name|json>", "a logits processor, as a name or JSON; may be repeated", collect);
}

/** The sampling options that flags stand for. */
export function samplingOf(flags: SamplingFlags, processors: readonly LogitsProcessor[]): SamplingOptions {
  const { temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, bias } = flags;
  return {
    temperature,
    topK,
    topP,
    minP,
    repetitionPenalty,
    presencePenalty,
    frequencyPenalty,
    penalizePrompt: flags.penalizePrompt,
    bias,
    bannedTokens: flags.ban,
    processors,
  };
}

function collectBias(
  text: string,
  earlier: Readonly<Record<number, number>> = {},
): Readonly<Record<number, number>> {
  const [token, value, ...rest] = text.split("=");
  if (token === undefined || value === undefined || rest.length > 0) {
    throw new InvalidArgumentError("Write a token id and a number, such as 198=-2.5.");
  }
  return { ...earlier, [parseWhole(token)]: parseNumber(value) };
}
