import { type GenerateOptions, stream } from "@foretoken/core";
import type { CliContext } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { type GenerateFlags, generateOptionsOf } from "../generate-flags.ts";
import { loadModel, type ModelFlags } from "../load-model.ts";
import { readPrompt } from "../prompt-input.ts";
import { reportLine, reportLines } from "../report-text.ts";
import { say, styled } from "../terminal.ts";

/** Parsed flags of `foretoken generate`. */
export interface GenerateCommandFlags extends ModelFlags, GenerateFlags {
  readonly system?: string;
  readonly raw?: boolean;
  readonly parseSpecial?: boolean;
  readonly logProbabilities?: number;
  readonly json?: boolean;
  readonly report?: boolean;
  readonly quiet?: boolean;
}

/**
 * Answers one prompt: the text streams to stdout, or one JSON object is printed at the end.
 * @returns The exit code.
 */
export async function generateCommand(
  words: readonly string[],
  flags: GenerateCommandFlags,
  context: CliContext,
): Promise<number> {
  const { terminal, interruption } = context;
  const text = await readPrompt(words, terminal);
  const options: GenerateOptions = {
    ...(await generateOptionsOf(flags, context)),
    ...promptOf(text, flags),
    logProbabilities: flags.logProbabilities,
  };
  const model = await loadModel(flags, context);
  try {
    const answer = stream(model, options);
    let isEmpty = true;
    for await (const chunk of answer) {
      if (flags.json || chunk.text === "") continue;
      isEmpty = false;
      terminal.stdout.write(chunk.text);
    }
    const generation = await answer.result;
    if (interruption.cause === "closed") return EXIT.ok;
    if (flags.json) {
      const { device, dtype } = model;
      terminal.stdout.write(`${JSON.stringify({ ...generation, model: model.id, device, dtype })}\n`);
    } else {
      if (!isEmpty) terminal.stdout.write("\n");
      const lines = flags.report ? reportLines(generation, model) : [reportLine(generation, model)];
      if (!flags.quiet) for (const line of lines) say(terminal, styled(terminal, "dim", line));
    }
    return interruption.cause === "interrupt" ? EXIT.interrupted : EXIT.ok;
  } finally {
    await model.dispose();
  }
}

function promptOf(text: string, { raw, system, parseSpecial }: GenerateCommandFlags) {
  if (raw) return { prompt: text, parseSpecial };
  const messages = [{ role: "user", content: text }];
  return { messages: system === undefined ? messages : [{ role: "system", content: system }, ...messages] };
}
