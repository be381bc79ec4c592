import type { CommanderError } from "commander";
import type { CliContext } from "./cli-context.ts";
import { EXIT, exitCodeOf } from "./exit-code.ts";
import { say, styled, type Terminal } from "./terminal.ts";

/** What `--json` prints when a command fails. */
interface ErrorObject {
  readonly error: { readonly code: string; readonly message: string; readonly fix: string };
}

/**
 * Reports a command line that cannot be read; help and version, which commander also throws, are no errors.
 * @returns The exit code.
 */
export function reportUsage(error: CommanderError, isJson: boolean, terminal: Terminal): number {
  if (error.exitCode === 0) return EXIT.ok;
  const asked = error.code === "commander.help";
  const message = asked ? "There is no command." : error.message.replace(/^error: /, "");
  const fix =
    error.code === "commander.unknownOption"
      ? "See foretoken --help; a prompt that begins with - goes behind --."
      : "See foretoken --help, and foretoken <command> --help.";
  print({ error: { code: "USAGE", message, fix } }, isJson, terminal);
  return EXIT.usage;
}

/**
 * Reports what a command threw.
 * @returns The exit code.
 */
export async function reportError(error: unknown, isJson: boolean, context: CliContext): Promise<number> {
  const { terminal, interruption, env } = context;
  const { hasCode } = await import("@foretoken/core");
  if (interruption.cause === "closed") return EXIT.ok;
  const isInterrupted = interruption.cause === "interrupt";
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  const object: ErrorObject = {
    // What was running when the signal came says so in words for programs.
    error:
      isInterrupted && (!hasCode(error) || hasCode(error, "ABORTED"))
        ? { code: "ABORTED", message: "Interrupted.", fix: "Run it again." }
        : hasCode(error)
          ? { code: error.code, message, fix: error.fix }
          : { code: "INTERNAL", message, fix: "Set FORETOKEN_DEBUG=1 for the place, and report it." },
  };
  print(object, isJson, terminal);
  if (env.FORETOKEN_DEBUG && stack !== undefined) say(terminal, stack);
  return isInterrupted ? EXIT.interrupted : exitCodeOf(object.error.code);
}

function print(object: ErrorObject, isJson: boolean, terminal: Terminal): void {
  if (isJson) {
    terminal.stdout.write(`${JSON.stringify(object)}\n`);
    return;
  }
  const { code, message, fix } = object.error;
  say(terminal, `${styled(terminal, "red", `foretoken: ${code}`)} ${message}`);
  if (fix !== "") say(terminal, `  ${fix}`);
}
