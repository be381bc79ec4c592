import { Command, CommanderError } from "commander";
import { version } from "../package.json";
import { addBenchCommand } from "./bench-flags.ts";
import type { CliContext } from "./cli-context.ts";
import { reportError, reportUsage } from "./error-output.ts";
import { addGenerateFlags } from "./generate-flags.ts";
import { addModelFlags } from "./load-model.ts";
import { parseWhole } from "./parse-number.ts";

/**
 * Runs one command line.
 * @param argv - Arguments behind the program's name.
 * @returns The exit code, see `EXIT`.
 */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  let code = 0;
  const program = createProgram(context, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    const isJson = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json");
    return error instanceof CommanderError
      ? reportUsage(error, isJson, context.terminal)
      : reportError(error, isJson, context);
  }
}

/** @param done - Gets the exit code of the command that ran. */
function createProgram(context: CliContext, done: (code: number) => void): Command {
  const { terminal } = context;
  const program = new Command("foretoken")
    .description("Chooses how a language model decodes.")
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      // Usage errors are printed once the command line is known to ask for JSON or not.
      writeErr: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  // Subcommands copy these settings when they are made, so they come last.
  const command = (name: string, summary: string) =>
    program.command(name).summary(summary).description(summary).optionsGroup("Output:");

  addModelFlags(
    addGenerateFlags(
      command("generate", "answer one prompt")
        .argument("[prompt...]", "the prompt; without one, or with -, it is read from stdin")
        .option("--json", "print one JSON object instead of the text, also when it fails")
        .option("--report", "print the full report behind the answer")
        .option("-q, --quiet", "print nothing but the answer")
        .option(
          "--log-probabilities <n>",
          "with --json: log-probabilities, with n candidates each",
          parseWhole,
        )
        .optionsGroup("Prompt:")
        .option("-s, --system <text>", "a system message in front of the prompt")
        .option("--raw", "feed the prompt as it is, without the chat template")
        .option("--parse-special", "with --raw: written control tokens become control tokens"),
    ),
  )
    .addHelpText("after", GENERATE_HELP)
    .action(async (words, flags) => {
      done(await (await import("./commands/generate.ts")).generateCommand(words, flags, context));
    });

  addModelFlags(
    addGenerateFlags(
      command("chat", "talk to a model; every answer reuses the cache of the ones before")
        .option("--report", "print the full report behind every answer")
        .option("-q, --quiet", "print nothing but the answers")
        .optionsGroup("Prompt:")
        .option("-s, --system <text>", "a system message in front of the conversation"),
    ),
  )
    .addHelpText("after", CHAT_HELP)
    .action(async (flags) => {
      done(await (await import("./commands/chat.ts")).chatCommand(flags, context));
    });

  addBenchCommand(command("bench", "measure decoders against plain decoding"), context, done);

  addModelFlags(
    command("tune", "measure what passes cost on this machine, and keep it for budgets").option(
      "--json",
      "print one JSON object instead of a table",
    ),
  ).action(async (flags) => {
    done(await (await import("./commands/tune.ts")).tuneCommand(flags, context));
  });

  addModelFlags(
    command(
      "table",
      "make a table that drafters begin with: of a folder of texts, or of the model's predictions",
    )
      .argument(
        "[folder]",
        "count the .txt and .md files in it; without one, the model is asked about every token",
      )
      .option("-o, --out <file>", "where to put it (default: a file in the cache)")
      .option("--json", "print one JSON object instead of text")
      .optionsGroup("Table:")
      .option("--max-size <n>", "megabytes of a table of texts", parseWhole, 64)
      .option("--layer0", "without a folder: ask the model's first layer alone, quicker and less right"),
  )
    .addHelpText("after", TABLE_HELP)
    .action(async (folder, flags) => {
      done(await (await import("./commands/table.ts")).tableCommand(folder, flags, context));
    });

  command("plugins", "list the parts that --decoder may name, built in and installed")
    .option("--json", "print one JSON object instead of a table")
    .argument("[name]", "show this part's options")
    .action(async (name, flags) => {
      done(await (await import("./commands/plugins.ts")).pluginsCommand(name, flags, context));
    });

  addModelFlags(
    command("doctor", "say what is installed, cached and working").option(
      "--json",
      "print one JSON object instead of text",
    ),
  ).action(async (flags) => {
    done(await (await import("./commands/doctor.ts")).doctorCommand(flags, context));
  });

  addModelFlags(
    command("demo", "answer a prompt with the default decoder, and plainly beside it")
      .argument("[prompt...]", "a prompt instead of the built-in one")
      .option("-n, --max-tokens <n>", "most tokens of the answer", parseWhole, 128),
  ).action(async (words, flags) => {
    done(await (await import("./commands/demo.ts")).demoCommand(words, flags, context));
  });

  program.addHelpText("after", PROGRAM_HELP);
  return program;
}

const PROGRAM_HELP = `
Answers go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.

  foretoken generate "Why is the sky blue?"
  foretoken chat --decoder prompt-lookup,token-recycling
  foretoken bench --decoder token-recycling --first 2`;

const GENERATE_HELP = `
Ctrl-C ends the answer and prints what was made; a second one ends the program at once.

  foretoken generate --decoder '{"use":"prompt-lookup","maxNgram":3}' "Repeat: one, two, three"
  foretoken generate --temperature 0.8 --top-p 0.95 --seed 1 "Tell a story."
  foretoken generate --json "Count to ten." | jq .report.blockEfficiency
  foretoken generate < question.txt
  foretoken generate -- "-5 + 3 = ?"`;

const TABLE_HELP = `
  foretoken table                                      # minutes, once for a model
  foretoken table notes --out notes.table
  foretoken generate --decoder '{"use":"aded","table":"notes.table"}' "…"`;

const CHAT_HELP = `
Lines of the conversation come from stdin. /reset begins anew, /exit or the end of input leaves.
Ctrl-C ends an answer; between answers it leaves.`;
