// A process that loads a model, answers, and says what that took; `measureStartup` and `measureMemory` start it.
import { hasCode } from "@foretoken/core";
import { probe } from "./probe.ts";

try {
  process.stdout.write(`${JSON.stringify(await probe(JSON.parse(process.argv[2] ?? "{}")))}\n`);
} catch (error) {
  const { message } = error as Error;
  process.stdout.write(`${JSON.stringify({ code: hasCode(error) ? error.code : undefined, message })}\n`);
  process.exitCode = 1;
}
