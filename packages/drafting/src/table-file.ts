import { DecodingError, type Model } from "@foretoken/core";
import { decodeSuccessors, encodeSuccessors } from "./successor-format.ts";
import type { OwningModel } from "./successor-owner.ts";
import type { SuccessorTable } from "./successor-table.ts";
import { decodeTable, encodeTable } from "./table-format.ts";
import type { TokenTable } from "./token-table.ts";

/**
 * Writes a table to a file. Only in Node. The file is complete or not there: bytes go to a temporary file beside it,
 * which then takes its name.
 *
 * @throws `CACHE_NOT_WRITABLE`; a file of that name is then as it was.
 */
export const saveTable = (
  path: string,
  table: TokenTable,
  model: Pick<Model, "contentHash">,
): Promise<void> => writeWhole(path, encodeTable(table, model.contentHash));

/**
 * Reads a table from a file. Only in Node.
 *
 * @param model - The model it must have been made for.
 * @throws `TABLE_INVALID` as `decodeTable` says, and when the file cannot be read.
 */
export const loadTable = async (
  path: string,
  model: Pick<Model, "contentHash" | "vocabularySize">,
): Promise<TokenTable> => decodeTable(await readWhole(path, "saveTable"), model, `The table ${path}`);

/** Writes a table of successors to a file, as {@link saveTable} does. @throws `CACHE_NOT_WRITABLE` */
export const saveSuccessors = (path: string, table: SuccessorTable): Promise<void> =>
  writeWhole(path, encodeSuccessors(table));

/**
 * Reads a table of successors from a file. Only in Node.
 *
 * @param model - The model it must be right for.
 * @throws `TABLE_INVALID` as `decodeSuccessors` says, and when the file cannot be read.
 */
export const loadSuccessors = async (path: string, model: OwningModel): Promise<SuccessorTable> =>
  decodeSuccessors(await readWhole(path, "saveSuccessors"), model, `The table ${path}`);

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const { open, rename, rm } = await import("node:fs/promises");
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new DecodingError("CACHE_NOT_WRITABLE", {
      message: `The table cannot be written to ${path}: ${(cause as Error).message}.`,
      fix: "Check that the folder exists and may be written to, or choose another path.",
      cause,
    });
  }
}

async function readWhole(path: string, writer: string): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  return readFile(path).catch((cause: Error) => {
    throw new DecodingError("TABLE_INVALID", {
      message: `The table ${path} cannot be read: ${cause.message}.`,
      fix: `Check the path; ${writer}() writes a table.`,
      cause,
    });
  });
}
