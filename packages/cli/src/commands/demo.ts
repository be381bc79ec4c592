import { textTable } from "@foretoken/bench";
import { type Generation, generate, plain, stream } from "@foretoken/core";
import type { CliContext } from "../cli-context.ts";
import { defaultDecoder } from "../default-decoder.ts";
import { EXIT } from "../exit-code.ts";
import { loadModel, type ModelFlags } from "../load-model.ts";
import { reportLines } from "../report-text.ts";
import { say, styled } from "../terminal.ts";

/** Parsed flags of `foretoken demo`. */
export interface DemoCommandFlags extends ModelFlags {
  readonly maxTokens: number;
}

/** Asks for a text that takes up words of the question, as summaries, corrections and translations do. */
const PROMPT =
  "Rewrite this note as a polite e-mail: The printer on the second floor is broken again. It jams whenever more than " +
  "ten pages are printed. Please send somebody to repair the printer on the second floor before Thursday, because the " +
  "reports for the meeting on Thursday have to be printed.";

/**
 * Answers one prompt with the default decoder, then plainly, and says what drafting saved.
 * @returns The exit code.
 */
export async function demoCommand(
  words: readonly string[],
  flags: DemoCommandFlags,
  context: CliContext,
): Promise<number> {
  const { terminal, interruption } = context;
  const { signal } = interruption;
  const model = await loadModel(flags, context);
  try {
    const content = words.length > 0 ? words.join(" ") : PROMPT;
    const { maxTokens } = flags;
    const options = { messages: [{ role: "user", content }], maxTokens, signal };
    const decoder = defaultDecoder();
    // Both are measured warm: the first passes of a process are slower whatever decodes.
    await generate(model, { ...options, decoder, maxTokens: 8 });

    say(terminal, styled(terminal, "dim", content));
    say(terminal, "");
    const answer = stream(model, { ...options, decoder });
    for await (const { text } of answer) terminal.stdout.write(text);
    terminal.stdout.write("\n");
    const drafted = await answer.result;
    say(terminal, "");
    for (const line of reportLines(drafted, model)) say(terminal, line);

    if (!signal.aborted) {
      say(terminal, "");
      say(terminal, comparison(drafted, await generate(model, { ...options, decoder: plain() })));
    }
    if (interruption.cause === "closed") return EXIT.ok;
    return signal.aborted ? EXIT.interrupted : EXIT.ok;
  } finally {
    await model.dispose();
  }
}

function comparison(drafted: Generation, reference: Generation): string {
  const row = (name: string, { report }: Generation) => [
    name,
    String(report.tokens),
    String(report.targetPasses),
    report.blockEfficiency.toFixed(2),
    report.tokensPerSecond.toFixed(0),
  ];
  const table = textTable(
    ["", "tokens", "passes", "tokens/pass", "tokens/s"].map((title) => ({ title })),
    [row("default decoder", drafted), row("plain", reference)],
  );
  const isSame =
    drafted.tokens.length === reference.tokens.length &&
    drafted.tokens.every((token, index) => token === reference.tokens[index]);
  const saved = 1 - drafted.report.targetPasses / reference.report.targetPasses;
  const speedUp = drafted.report.tokensPerSecond / reference.report.tokensPerSecond;
  return [
    table,
    "",
    isSame
      ? `The same ${drafted.tokens.length} tokens with ${percent(saved)} fewer passes, ${speedUp.toFixed(2)} times the speed of plain.`
      : `${speedUp.toFixed(2)} times the speed of plain. The texts part: two candidates lay closer than the rounding of ${"stored"} weights.`,
    "One prompt says little: foretoken bench measures many, and shows those that lose.",
  ].join("\n");
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
