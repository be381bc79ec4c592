import { DecodingError } from "@foretoken/core";
import type { SuccessorTable } from "./successor-table.ts";
import { TokenTable } from "./token-table.ts";

/**
 * The successors of single tokens as the candidates of a {@link TokenTable}, which forgets their weights.
 *
 * @param candidatesPerToken - Most of each token; where fewer are known, the row is shorter.
 * @throws `INVALID_OPTION` for a table of contexts of two tokens.
 */
export function candidateTable(successors: SuccessorTable, candidatesPerToken: number): TokenTable {
  const { order, vocabularySize, arrays } = successors;
  if (order !== 1) {
    throw new DecodingError("INVALID_OPTION", {
      message: `Candidates for each token were asked of a table of order ${order}.`,
      fix: "Pass a table of order 1, whose contexts are single tokens.",
    });
  }
  const table = new TokenTable({ vocabularySize, candidatesPerToken });
  for (const token of arrays.keys) table.set(token, successors.row(token)!.ids);
  return table;
}
