import type { GenerateOptions } from "@foretoken/core";
import { type Command, Option } from "commander";
import type { CliContext } from "./cli-context.ts";
import { loadLike, type ModelFlags } from "./load-model.ts";
import { collect, parseWhole } from "./parse-number.ts";
import type { DecoderFlags } from "./part-flags.ts";
import { addSamplingFlags, type SamplingFlags, samplingOf } from "./sampling-flags.ts";

/** Parsed flags of {@link addGenerateFlags}. */
export interface GenerateFlags extends DecoderFlags, SamplingFlags {
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly ignoreEnd?: boolean;
}

/** Adds the flags that say how answers are decoded. */
export function addGenerateFlags(command: Command): Command {
  command
    .optionsGroup("Decoding:")
    .option(
      "-d, --decoder <name|json>",
      "a decoder or drafter; several drafters with commas between are merged (default: see foretoken plugins)",
    )
    .addOption(new Option("--decoder-file <path>", "a file with the decoder as JSON"))
    .option(
      "-n, --max-tokens <n>",
      "most tokens of an answer (default: what the context has room for)",
      parseWhole,
    )
    .option("--stop <text>", "end the answer before this text; may be repeated", collect)
    .option(
      "--seed <n>",
      "the same seed gives the same text (default: a random one, told behind the answer)",
      parseWhole,
    )
    .option("--ignore-end", "go on behind end tokens");
  return addSamplingFlags(command);
}

/** The options of `generate()` that flags stand for; prompt and session are the command's own. */
export async function generateOptionsOf(
  flags: GenerateFlags & ModelFlags,
  context: CliContext,
): Promise<Omit<GenerateOptions, "prompt" | "messages">> {
  const { PartBuilder } = await import("./part-flags.ts");
  const parts = new PartBuilder(context.cwd, { loadModel: loadLike(flags, context) });
  const { maxTokens, stop, seed, ignoreEnd } = flags;
  return {
    ...samplingOf(flags, await parts.processors(flags.processor)),
    decoder: await parts.decoder(flags),
    maxTokens,
    stop,
    seed,
    ignoreEnd,
    signal: context.interruption.signal,
  };
}
