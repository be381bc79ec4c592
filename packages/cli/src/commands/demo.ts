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
      const reference = await generate(model, { ...options, decoder: plain() });
      say(terminal, "");
      say(terminal, comparison(drafted, reference));
      say(terminal, "");
      const parting = reference.tokens.findIndex((token, index) => token !== drafted.tokens[index]);
      // The gap comes from a run of its own: asking for log-probabilities would have slowed the measured one.
      const measured =
        parting < 0
          ? undefined
          : await generate(model, {
              ...options,
              decoder: plain(),
              maxTokens: parting + 1,
              logProbabilities: 2,
            });
      say(terminal, verdict(drafted, reference, measured));
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
  return textTable(
    ["", "tokens", "passes", "tokens/pass", "tokens/s"].map((title) => ({ title })),
    [row("default decoder", drafted), row("plain", reference)],
  );
}

/** @param parting - Plain's answer up to the token where the two part, when they do. */
function verdict(drafted: Generation, reference: Generation, parting: Generation | undefined): string {
  const speedUp = drafted.report.tokensPerSecond / reference.report.tokensPerSecond;
  const saved = 1 - drafted.report.targetPasses / reference.report.targetPasses;
  const [best, second] = parting?.logProbabilities?.at(-1)?.top ?? [];
  const gap = best === undefined || second === undefined ? 0 : best.logProbability - second.logProbability;
  const same =
    parting === undefined
      ? `The same ${reference.tokens.length} tokens with ${Math.round(saved * 100)} % fewer passes, `
      : `The texts part at token ${parting.tokens.length}, where plain's two best candidates lie ${gap.toFixed(2)} logits ` +
        "apart: foretoken bench noise tells how much is rounding. It ran at ";
  return (
    `${same}${speedUp.toFixed(2)} times the speed of plain.\n` +
    "One prompt says little: foretoken bench measures many, and shows those that lose."
  );
}
