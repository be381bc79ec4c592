import type { Model } from "@foretoken/core";
import { SuccessorCounts, type SuccessorTable, textOwner } from "@foretoken/drafting";

/** Options of {@link tableFromTexts}. */
export interface TableFromTextsOptions {
  /** Successors kept of each pair of tokens. Default 12. */
  readonly successors?: number;
  /** Bytes the table may have; pairs that were seen most stay. Default 64 MiB. */
  readonly maxBytes?: number;
}

/**
 * Counts what follows each pair of tokens in texts.
 *
 * @param model - Whose tokenizer cuts the texts, and with whose tokenizer alone the table can be used.
 * @throws `INVALID_OPTION` for limits below 1; what `texts` throws.
 */
export async function tableFromTexts(
  model: Pick<Model, "contentHash" | "vocabularySize"> & {
    readonly tokenizer: NonNullable<Model["tokenizer"]>;
  },
  texts: Iterable<string> | AsyncIterable<string>,
  options: TableFromTextsOptions = {},
): Promise<SuccessorTable> {
  const { vocabularySize, tokenizer } = model;
  const counts = new SuccessorCounts({ order: 2, vocabularySize, owner: textOwner(model), ...options });
  for await (const text of texts) counts.addText(tokenizer.encode(text));
  return counts.table();
}
