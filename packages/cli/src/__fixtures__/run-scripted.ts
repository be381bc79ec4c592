import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { type ScriptedModel, scriptedModel } from "@foretoken/testing";
import { Interruption } from "../interruption.ts";
import { runCli } from "../run-cli.ts";

/** What a command line gave. */
export interface ScriptedRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly model: ScriptedModel;
  readonly interruption: Interruption;
}

/** What the scripted process is like. */
export interface ScriptedProcess {
  /** Bytes on stdin; `undefined` for a terminal where nobody types. */
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with everything stdout holds so far. */
  readonly onOutput?: (text: string, interruption: Interruption) => void;
  readonly answer?: string;
}

const END = 0;
/** Token `i` is the character of code `i`; token 0 ends the answer. */
const CHARACTERS = Array.from({ length: 128 }, (_, code) =>
  code === END ? "<end>" : String.fromCharCode(code),
);

/** A model that answers every prompt with the same text: its chat template ends in a `>` that the answer follows. */
function answering(answer: string): ScriptedModel {
  const tokens = [...answer].map((character) => character.charCodeAt(0));
  return scriptedModel({
    vocabularySize: 128,
    contextLength: 512,
    tokenizer: {
      texts: CHARACTERS,
      endTokens: [END],
      chatTemplate: (messages) =>
        `${messages.map(({ role, content }) => `[${role}:${content}]`).join("")}\n>`,
    },
    next: (text) => {
      const start = text.lastIndexOf(">".charCodeAt(0)) + 1;
      return tokens[text.length - start] ?? END;
    },
  });
}

/** Runs a command line in this process, with a scripted model in place of a loaded one. */
export async function runScripted(
  argv: readonly string[],
  { stdin, env = {}, onOutput, answer = "the cat sat on the cat sat." }: ScriptedProcess = {},
): Promise<ScriptedRun> {
  const model = answering(answer);
  const interruption = new Interruption();
  const output = { stdout: "", stderr: "" };
  const sink = (name: "stdout" | "stderr") =>
    new Writable({
      write(chunk, _encoding, done) {
        output[name] += chunk;
        if (name === "stdout") onOutput?.(output.stdout, interruption);
        done();
      },
    });
  const input = Readable.from(stdin === undefined ? [] : [Buffer.from(stdin)]);
  const terminal = {
    stdin: Object.assign(input, { isTTY: stdin === undefined }),
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    isInteractive: false,
  };
  const cwd = mkdtempSync(join(tmpdir(), "foretoken-cli-"));
  const code = await runCli(argv, { terminal, interruption, env, cwd, loadModel: async () => model });
  return { code, ...output, model, interruption };
}
