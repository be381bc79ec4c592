import { DecodingError, type Model } from "@foretoken/core";
import { decodeTable, encodeTable } from "./table-format.ts";
import type { TokenTable } from "./token-table.ts";

/**
 * Writes a table to a file. Only in Node. The file is complete or not there: bytes go to a temporary file beside it,
 * which then takes its name.
 *
 * @throws `CACHE_NOT_WRITABLE`; a file of that name is then as it was.
 */
export async function saveTable(
  path: string,
  table: TokenTable,
  model: Pick<Model, "contentHash">,
): Promise<void> {
  const { open, rename, rm } = await import("node:fs/promises");
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(encodeTable(table, model.contentHash));
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

/**
 * Reads a table from a file. Only in Node.
 *
 * @param model - The model it must have been made for.
 * @throws `TABLE_INVALID` as `decodeTable` says, and when the file cannot be read.
 */
export async function loadTable(
  path: string,
  model: Pick<Model, "contentHash" | "vocabularySize">,
): Promise<TokenTable> {
  const { readFile } = await import("node:fs/promises");
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new DecodingError("TABLE_INVALID", {
      message: `The table ${path} cannot be read: ${cause.message}.`,
      fix: "Check the path; saveTable() writes a table.",
      cause,
    });
  });
  return decodeTable(bytes, model, `The table ${path}`);
}
