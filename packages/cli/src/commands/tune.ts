import { textTable } from "@foretoken/bench";
import { DecodingError } from "@foretoken/core";
import type { CliContext } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { loadModel, type ModelFlags } from "../load-model.ts";
import { say } from "../terminal.ts";

/** Parsed flags of `foretoken tune`. */
export interface TuneCommandFlags extends ModelFlags {
  readonly json?: boolean;
}

const ROWS = [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32];
const CONTEXTS = [128, 512, 1024, 2048];

/**
 * Measures what passes cost on this machine; the runtime keeps the curve for budgets.
 * @returns The exit code.
 */
export async function tuneCommand(flags: TuneCommandFlags, context: CliContext): Promise<number> {
  const { terminal, interruption } = context;
  const model = await loadModel(flags, context);
  try {
    if (!("calibrate" in model) || typeof model.calibrate !== "function") {
      throw new DecodingError("UNSUPPORTED", {
        message: `${model.id} cannot measure its passes.`,
        fix: "Name a model that the runtime loads.",
      });
    }
    say(terminal, "Measuring passes; other work on this machine disturbs it.");
    await model.calibrate({ signal: interruption.signal });
    const { cost } = model;
    const contexts = CONTEXTS.filter((context) => context < model.contextLength);
    const { id, device, dtype } = model;
    if (flags.json) {
      const ms = contexts.map((context) => ROWS.map((rows) => cost.ms(rows, context)));
      terminal.stdout.write(`${JSON.stringify({ model: id, device, dtype, rows: ROWS, contexts, ms })}\n`);
      return EXIT.ok;
    }
    const table = textTable(
      [
        { title: "rows in the pass", align: "right" },
        ...contexts.map((context) => ({ title: `ms at ${context} rows` })),
        { title: "of one row" },
      ],
      ROWS.map((rows) => [
        String(rows),
        ...contexts.map((context) => cost.ms(rows, context).toFixed(2)),
        `× ${(cost.ms(rows, contexts[0]!) / cost.ms(1, contexts[0]!)).toFixed(2)}`,
      ]),
    );
    terminal.stdout.write(`${id}, ${device}, ${dtype}\n\n${table}\n\n`);
    terminal.stdout.write("A draft pays when it saves more than the last column adds.\n");
    return EXIT.ok;
  } finally {
    await model.dispose();
  }
}
