import { createInterface } from "node:readline";
import { type ChatMessage, type GenerateOptions, hasCode, type Model, stream } from "@foretoken/core";
import type { CliContext } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { type GenerateFlags, generateOptionsOf } from "../generate-flags.ts";
import { loadModel, type ModelFlags } from "../load-model.ts";
import { reportLine, reportLines } from "../report-text.ts";
import { say, styled } from "../terminal.ts";

/** Parsed flags of `foretoken chat`. */
export interface ChatCommandFlags extends ModelFlags, GenerateFlags {
  readonly system?: string;
  readonly report?: boolean;
  readonly quiet?: boolean;
}

/**
 * A conversation: one line in, one answer out, on one session. Works in a terminal and in a pipe.
 * @returns The exit code.
 */
export async function chatCommand(flags: ChatCommandFlags, context: CliContext): Promise<number> {
  const { terminal, interruption } = context;
  const options = await generateOptionsOf(flags, context);
  const model = await loadModel(flags, context);
  const isConversation = terminal.stdin.isTTY === true;
  const lines = createInterface({
    input: terminal.stdin,
    output: isConversation ? terminal.stderr : undefined,
    terminal: isConversation && terminal.isInteractive,
    prompt: "> ",
    signal: interruption.signal,
  });
  // In a terminal readline takes Ctrl-C before the process sees it.
  lines.on("SIGINT", () => {
    if (!interruption.interrupt()) lines.close();
  });
  const conversation = new Conversation(model, options, flags, context);
  try {
    if (isConversation) lines.prompt();
    for await (const line of lines) {
      if (line.trim() === "/exit") break;
      if (line.trim() === "/reset") conversation.reset();
      else if (line.trim() !== "") await conversation.answer(line);
      if (interruption.cause !== undefined) break;
      if (isConversation) lines.prompt();
    }
    return interruption.cause === "interrupt" ? EXIT.interrupted : EXIT.ok;
  } finally {
    lines.close();
    await model.dispose();
  }
}

/** The turns so far, and the session that holds them. */
class Conversation {
  readonly #model: Model;
  readonly #options: GenerateOptions;
  readonly #flags: ChatCommandFlags;
  readonly #context: CliContext;
  #session;
  #messages: ChatMessage[] = [];

  constructor(model: Model, options: GenerateOptions, flags: ChatCommandFlags, context: CliContext) {
    this.#model = model;
    this.#options = options;
    this.#flags = flags;
    this.#context = context;
    this.#session = model.createSession();
    this.reset();
  }

  /** Forgets all turns. */
  reset(): void {
    const { system } = this.#flags;
    this.#messages = system === undefined ? [] : [{ role: "system", content: system }];
    this.#session.dispose();
    this.#session = this.#model.createSession();
  }

  /** Streams the answer to a line; Ctrl-C ends this answer only. A conversation that has grown too long is kept as it was. */
  async answer(line: string): Promise<void> {
    const { terminal, interruption } = this.#context;
    const thisAnswer = new AbortController();
    const release = interruption.intercept(() => thisAnswer.abort());
    const messages = [...this.#messages, { role: "user", content: line }];
    try {
      const answer = stream(this.#model, {
        ...this.#options,
        messages,
        session: this.#session,
        signal: AbortSignal.any([interruption.signal, thisAnswer.signal]),
      });
      for await (const { text } of answer) terminal.stdout.write(text);
      terminal.stdout.write("\n");
      const generation = await answer.result;
      this.#messages = [...messages, { role: "assistant", content: generation.text }];
      const { report, quiet } = this.#flags;
      const told = report ? reportLines(generation, this.#model) : [reportLine(generation, this.#model)];
      if (!quiet) for (const line of told) say(terminal, styled(terminal, "dim", line));
    } catch (error) {
      // Ctrl-C came before anything ran: there is no answer to keep.
      if (hasCode(error, "ABORTED") && interruption.cause === undefined) return;
      if (!hasCode(error, "PROMPT_TOO_LONG", "CONTEXT_FULL")) throw error;
      say(terminal, `${error.message} /reset begins anew.`);
    } finally {
      release();
    }
  }
}
