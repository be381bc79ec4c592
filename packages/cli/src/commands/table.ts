import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tableFromFolder } from "@foretoken/aded";
import { makeBigramTable } from "@foretoken/bigram";
import { DecodingError, hasCode, type Model } from "@foretoken/core";
import { loadSuccessors, type SuccessorTable, saveSuccessors } from "@foretoken/drafting";
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
    const cached = join(cacheFolder(context.env), "tables", fileName(model, folder, flags));
    const out = flags.out ?? cached;
    let table = folder === undefined && flags.out === undefined ? await kept(cached, model) : undefined;
    if (table === undefined) {
      table =
        folder === undefined
          ? await predictions(model, flags, context, countdown)
          : await texts(model, folder, flags, context, countdown);
      await mkdir(dirname(out), { recursive: true });
      await saveSuccessors(out, table);
    }
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

/** What an earlier call made, where it did: a model predicts the same every time. */
async function kept(path: string, model: Model): Promise<SuccessorTable | undefined> {
  try {
    return await loadSuccessors(path, model);
  } catch (error) {
    if (hasCode(error, "TABLE_INVALID")) return undefined;
    throw error;
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

/** One file for each model and way; the newest table of texts takes the place of the one before. */
const fileName = (
  { contentHash }: Model,
  folder: string | undefined,
  { layer0 }: TableCommandFlags,
): string => {
  const kind = folder === undefined ? (layer0 ? "bigram-layer0" : "bigram") : "texts";
  return `${kind}-${contentHash.slice(0, 16)}.table`;
};
