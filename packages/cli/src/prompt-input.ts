import { DecodingError } from "@foretoken/core";
import type { Terminal } from "./terminal.ts";

/**
 * The prompt from the command line, or from stdin when there is none or when it is `-`.
 *
 * Text from stdin may be UTF-8 or, with a byte order mark, UTF-16; line ends become `\n`, and one line end at the very end
 * is dropped, because shells and editors add it.
 *
 * @param words - Arguments behind the options, joined with spaces.
 * @throws `EMPTY_PROMPT`, `INVALID_OPTION` for bytes that are no text.
 */
export async function readPrompt(words: readonly string[], terminal: Terminal): Promise<string> {
  const isFromStdin = words.length === 0 || (words.length === 1 && words[0] === "-");
  if (isFromStdin && words.length === 0 && terminal.stdin.isTTY) {
    throw empty(
      "There is no prompt.",
      'Give one: foretoken generate "Why is the sky blue?", or pipe one in.',
    );
  }
  const text = isFromStdin ? decodeText(await readAll(terminal)) : words.join(" ");
  if (text.trim() === "") {
    throw empty(
      `The prompt from ${isFromStdin ? "stdin" : "the command line"} is empty.`,
      "Give at least one word, as an argument or through a pipe.",
    );
  }
  return text;
}

/**
 * Text of bytes: a byte order mark chooses among UTF-8, UTF-16LE and UTF-16BE and is dropped, without one it is UTF-8.
 * @throws `INVALID_OPTION` for bytes that are no text in that encoding.
 */
export function decodeText(bytes: Uint8Array): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? "utf-16le"
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? "utf-16be"
        : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  } catch (cause) {
    throw new DecodingError("INVALID_OPTION", {
      message: `The prompt from stdin is no ${encoding.toUpperCase()} text (${bytes.length} bytes).`,
      fix: "Convert it to UTF-8, for instance with iconv.",
      cause,
    });
  }
}

async function readAll({ stdin }: Terminal): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function empty(message: string, fix: string): DecodingError {
  return new DecodingError("EMPTY_PROMPT", { message, fix });
}
