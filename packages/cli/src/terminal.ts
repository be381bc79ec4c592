import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";

/** Where a command reads and writes: the answer goes to stdout, everything else to stderr. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Whether stderr may hold progress bars and colours: a terminal, and none of CI, NO_COLOR, TERM=dumb set. */
  readonly isInteractive: boolean;
}

/** Streams and environment as a {@link Terminal}. */
export function terminalOf(
  { stdin, stdout, stderr }: Pick<Terminal, "stdin" | "stdout" | "stderr">,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const isSet = (name: string) => env[name] !== undefined && env[name] !== "" && env[name] !== "false";
  const isPlain = isSet("CI") || isSet("NO_COLOR") || env.TERM === "dumb";
  return { stdin, stdout, stderr, isInteractive: stderr.isTTY === true && !isPlain };
}

/** Writes a line to stderr. */
export function say({ stderr }: Terminal, line: string): void {
  stderr.write(`${line}\n`);
}

/** Makes text for stderr faint, or bold; without a terminal it stays as it is. */
export function styled({ isInteractive }: Terminal, style: "dim" | "bold" | "red", text: string): string {
  return isInteractive ? styleText(style, text) : text;
}
