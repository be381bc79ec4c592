#!/usr/bin/env node
import { EXIT } from "./exit-code.ts";
import { Interruption } from "./interruption.ts";
import { runCli } from "./run-cli.ts";
import { terminalOf } from "./terminal.ts";

const interruption = new Interruption();

process.on("SIGINT", () => {
  if (!interruption.interrupt()) process.exit(EXIT.interrupted);
});

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  interruption.close();
  if (error.code === "EPIPE") return;
  process.exitCode = EXIT.failed;
  process.stderr.write(`foretoken: The answer cannot be written: ${error.message}\n`);
});
// Without a reader of stderr there is nobody to tell.
process.stderr.on("error", () => {});

const code = await runCli(process.argv.slice(2), {
  terminal: terminalOf(process, process.env),
  interruption,
  env: process.env,
  cwd: process.cwd(),
});
process.exitCode ??= code;
