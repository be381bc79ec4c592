import { textTable } from "@foretoken/bench";
import { DecodingError, type Model } from "@foretoken/core";
import type { RuntimeModel } from "@foretoken/runtime";
import type { CliContext } from "../cli-context.ts";
import { EXIT } from "../exit-code.ts";
import { loadModel, type ModelFlags } from "../load-model.ts";
import { say } from "../terminal.ts";

/** Parsed flags of `foretoken tune`. */
export interface TuneCommandFlags extends ModelFlags {
  readonly json?: boolean;
}

/**
 * Measures what passes cost on this machine; the runtime keeps the curve for budgets.
 * @returns The exit code.
 */
export async function tuneCommand(flags: TuneCommandFlags, context: CliContext): Promise<number> {
  const { terminal, interruption } = context;
  const model = await loadModel(flags, context);
  try {
    const { id, device, dtype, calibrate } = model as Model & Partial<Pick<RuntimeModel, "calibrate">>;
    if (calibrate === undefined) {
      throw new DecodingError("UNSUPPORTED", {
        message: `${id} cannot measure its passes.`,
        fix: "Name a model that the runtime loads.",
      });
    }
    say(terminal, "Measuring passes; other work on this machine disturbs it.");
    const { rows, contexts, ms } = await calibrate({ signal: interruption.signal });
    if (flags.json) {
      terminal.stdout.write(`${JSON.stringify({ model: id, device, dtype, rows, contexts, ms })}\n`);
      return EXIT.ok;
    }
    const table = textTable(
      [
        { title: "rows in the pass", align: "right" },
        ...contexts.map((context) => ({ title: `ms at ${context} rows` })),
        { title: "of one row" },
      ],
      rows.map((count, row) => [
        String(count),
        ...ms.map((times) => times[row]!.toFixed(2)),
        `× ${(ms[0]![row]! / ms[0]![0]!).toFixed(2)}`,
      ]),
    );
    terminal.stdout.write(`${id}, ${device}, ${dtype}\n\n${table}\n\n`);
    terminal.stdout.write("A draft pays when it saves more than the last column adds.\n");
    return EXIT.ok;
  } finally {
    await model.dispose();
  }
}
