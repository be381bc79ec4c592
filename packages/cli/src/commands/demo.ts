import { decoderContestant, runBench, textTable } from "@foretoken/bench";
import { type Generation, generate, type Model, plain, stream, type TokenId } from "@foretoken/core";
import type { CliContext } from "../cli-context.ts";
import { Countdown } from "../countdown.ts";
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

/** Answers of either decoder that are timed, in turns. */
const REPEATS = 3;

/**
 * Answers one prompt with the default decoder, then measures it and plain decoding in turns, and says what drafting saved.
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

    say(terminal, styled(terminal, "dim", content));
    say(terminal, "");
    const answer = stream(model, { ...options, decoder });
    for await (const { text } of answer) terminal.stdout.write(text);
    terminal.stdout.write("\n");
    say(terminal, "");
    for (const line of reportLines(await answer.result, model)) say(terminal, line);

    if (!signal.aborted) {
      const [reference, drafted] = await measured(content, flags, model, context);
      say(terminal, "");
      if (reference.tokens.length > 1) say(terminal, `${comparison(drafted, reference)}\n`);
      const parting = reference.tokens.findIndex((token, index) => token !== drafted.tokens[index]);
      // The gap comes from a run of its own: asking for log-probabilities would have slowed the measured one.
      const parted =
        parting < 0
          ? undefined
          : await generate(model, {
              ...options,
              decoder: plain(),
              maxTokens: parting + 1,
              logProbabilities: 2,
            });
      say(terminal, verdict(drafted, reference, parted));
    }
    if (interruption.cause === "closed") return EXIT.ok;
    return signal.aborted ? EXIT.interrupted : EXIT.ok;
  } finally {
    await model.dispose();
  }
}

/** What one decoder did: the tokens of its first answer, the median speed of all. */
interface Measured {
  readonly tokens: readonly TokenId[];
  readonly targetPasses: number;
  readonly tokensPerSecond: number;
}

/** Plain decoding and the default decoder. */
async function measured(
  text: string,
  { maxTokens }: DemoCommandFlags,
  model: Model,
  { terminal, interruption }: CliContext,
): Promise<readonly [reference: Measured, drafted: Measured]> {
  const countdown = new Countdown(terminal);
  const decoders = { plain: plain(), "default decoder": defaultDecoder() };
  const { summary, measurements } = await runBench({
    contestants: Object.entries(decoders).map(([name, decoder]) =>
      decoderContestant(model, { name, decoder }),
    ),
    prompts: [{ id: "demo", group: "demo", text }],
    maxTokens,
    repeats: REPEATS,
    signal: interruption.signal,
    onProgress: ({ done, total, contestant }) => countdown.show(done, total, contestant),
  }).finally(() => countdown.stop());
  const of = (name: string): Measured => {
    const { tokens, targetPasses } = measurements.find(({ contestant }) => contestant === name)!;
    const { tokensPerSecond } = summary.find(({ contestant }) => contestant === name)!;
    return { tokens, targetPasses: targetPasses!, tokensPerSecond };
  };
  return [of("plain"), of("default decoder")];
}

function comparison(drafted: Measured, reference: Measured): string {
  const row = (name: string, one: Measured) => [
    name,
    String(one.tokens.length),
    String(one.targetPasses),
    ((one.tokens.length - 1) / one.targetPasses).toFixed(2),
    one.tokensPerSecond.toFixed(0),
  ];
  return textTable(
    ["", "tokens", "passes", "tokens/pass", "tokens/s"].map((title) => ({ title })),
    [row("default decoder", drafted), row("plain", reference)],
  );
}

/** @param parting - Plain's answer up to the token where the two part, when they do. */
function verdict(drafted: Measured, reference: Measured, parting: Generation | undefined): string {
  if (reference.tokens.length < 2)
    return "An answer of one token is decoded by no pass, so there is nothing to compare.";
  const speedUp = drafted.tokensPerSecond / reference.tokensPerSecond;
  const saved = 1 - drafted.targetPasses / reference.targetPasses;
  const [best, second] = parting?.logProbabilities?.at(-1)?.top ?? [];
  const gap = best === undefined || second === undefined ? 0 : best.logProbability - second.logProbability;
  const same =
    parting === undefined
      ? `The same ${reference.tokens.length} tokens with ${Math.round(saved * 100)} % fewer passes, `
      : `The texts part at token ${parting.tokens.length}, where plain's two best candidates lie ${gap.toFixed(2)} logits ` +
        "apart: foretoken bench noise tells how much is rounding. It ran at ";
  return (
    `${same}${speedUp.toFixed(2)} times the speed of plain, by medians of ${REPEATS}.\n` +
    "One prompt says little: foretoken bench measures many, and shows those that lose."
  );
}
