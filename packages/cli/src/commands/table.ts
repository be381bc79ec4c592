import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tableFromFolder } from "@foretoken/aded";
import { makeBigramTable } from "@foretoken/bigram";
import { DecodingError, type Model } from "@foretoken/core";
import { type SuccessorTable, saveSuccessors } from "@foretoken/drafting";
import { cacheFolder } from "@foretoken/runtime";
import type { CliContext } from "../cli-context.ts";
import { Countdown } from "../countdown.ts";
import { EXIT } from "../exit-code.ts";
import { loadModel, type ModelFlags } from "../load-model.ts";

/** Parsed flags of `foretoken table`. */
export interface TableCommandFlags extends ModelFlags {
  readonly out?: string;
  /** Megabytes of a table of texts. */
  readonly maxSize: number;
  readonly layer0?: boolean;
  readonly json?: boolean;
}

/**
 * Makes a table that drafters begin with: of the model's own predictions, or of the texts of a folder.
 * @returns The exit code.
 */
export async function tableCommand(
  folder: string | undefined,
  flags: TableCommandFlags,
  context: CliContext,
): Promise<number> {
  const { terminal } = context;
  const model = await loadModel(flags, context);
  const countdown = new Countdown(terminal);
  try {
    const table =
      folder === undefined
        ? await predictions(model, flags, context, countdown)
        : await texts(model, folder, flags, context, countdown);
    const out = flags.out ?? join(cacheFolder(context.env), "tables", fileName(model, folder));
    await mkdir(dirname(out), { recursive: true });
    await saveSuccessors(out, table);
    countdown.stop();
    const { rows, bytes } = table;
    const use = { use: folder === undefined ? "bigram" : "aded", table: out };
    terminal.stdout.write(
      flags.json
        ? `${JSON.stringify({ model: model.id, path: out, rows, bytes, decoder: use })}\n`
        : `${rows} rows, ${(bytes / 1e6).toFixed(1)} MB, in ${out}\n\n  --decoder '${JSON.stringify(use)}'\n`,
    );
    return EXIT.ok;
  } finally {
    countdown.stop();
    await model.dispose();
  }
}

const predictions = (
  model: Model,
  { layer0 }: TableCommandFlags,
  { interruption }: CliContext,
  countdown: Countdown,
): Promise<SuccessorTable> =>
  makeBigramTable(model, {
    way: layer0 ? "layer0" : "exact",
    signal: interruption.signal,
    onProgress: (done, total) => countdown.show(done, total, "tokens asked"),
  });

async function texts(
  model: Model,
  folder: string,
  { maxSize }: TableCommandFlags,
  { interruption }: CliContext,
  countdown: Countdown,
): Promise<SuccessorTable> {
  const { id, contentHash, vocabularySize, tokenizer } = model;
  if (tokenizer === undefined) {
    throw new DecodingError("UNSUPPORTED", {
      message: `${id} has no tokenizer to read texts with.`,
      fix: "Name a model that takes text.",
    });
  }
  return tableFromFolder({ contentHash, vocabularySize, tokenizer }, folder, {
    maxBytes: maxSize * 1e6,
    signal: interruption.signal,
    onProgress: (done, total) => countdown.show(done, total, "files read"),
  });
}

/** One file for each model's predictions; the newest table of texts takes the place of the one before. */
const fileName = ({ contentHash }: Model, folder: string | undefined): string =>
  `${folder === undefined ? "bigram" : "texts"}-${contentHash.slice(0, 16)}.table`;
