import { DecodingError } from "@foretoken/core";
import type { SuccessorTable } from "@foretoken/drafting";
import { type TableFromTextsOptions, tableFromTexts } from "./table-from-texts.ts";

/** Options of {@link tableFromFolder}. */
export interface TableFromFolderOptions extends TableFromTextsOptions {
  /** Endings of files that are read. Default `.txt`, `.md`. */
  readonly endings?: readonly string[];
  readonly signal?: AbortSignal;
  /** Told after every file. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Counts what follows each pair of tokens in the text files of a folder and of those in it, by name. Only in Node.
 *
 * @param model - As `tableFromTexts` takes it.
 * @throws `INVALID_OPTION` for a folder that cannot be read or holds no such file; `ABORTED`.
 */
export async function tableFromFolder(
  model: Parameters<typeof tableFromTexts>[0],
  folder: string,
  { endings = [".txt", ".md"], signal, onProgress, ...options }: TableFromFolderOptions = {},
): Promise<SuccessorTable> {
  const { readdir, readFile } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const names = await readdir(folder, { recursive: true }).catch((cause: Error) => {
    throw new DecodingError("INVALID_OPTION", {
      message: `The folder ${folder} cannot be read: ${cause.message}.`,
      fix: "Pass a folder of text files.",
      cause,
    });
  });
  const files = names.filter((name) => endings.some((ending) => name.endsWith(ending))).sort();
  if (files.length === 0) {
    throw new DecodingError("INVALID_OPTION", {
      message: `The folder ${folder} holds no file that ends in ${endings.join(" or ")}.`,
      fix: "Pass another folder, or the endings of its files.",
    });
  }
  async function* texts() {
    for (const [index, file] of files.entries()) {
      if (signal?.aborted) {
        throw new DecodingError("ABORTED", {
          message: `Counting ${folder} was aborted after ${index} of ${files.length} files.`,
          fix: "Start again when there is time.",
        });
      }
      yield await readFile(join(folder, file), "utf8");
      onProgress?.(index + 1, files.length);
    }
  }
  return tableFromTexts(model, texts(), options);
}
