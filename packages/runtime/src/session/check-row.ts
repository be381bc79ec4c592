import { DecodingError, type Model, type RowInput } from "@foretoken/core";
import { invalidRow } from "./session-errors.ts";

/** Largest value of an injected vector: its square, summed over any width, is still a float32. */
const MOST_INJECTED = 1e15;

/**
 * Checks what one row of a call carries.
 *
 * @param vectorWidths - Widths of the vectors that the graph takes, by name; others were refused before.
 * @throws `DecodingError` `INVALID_ROW`, `UNKNOWN_TOKEN`, `SHAPE_MISMATCH`
 */
export function checkRow(
  row: RowInput,
  index: number,
  { vocabularySize, width }: Pick<Model, "vocabularySize" | "width">,
  vectorWidths: ReadonlyMap<string, number>,
): void {
  if ((row.token === undefined) === (row.embedding === undefined)) {
    throw invalidRow(
      `row ${index} has ${row.token === undefined ? "neither token nor" : "both token and"} embedding`,
      "Give exactly one of them.",
    );
  }
  if (
    row.token !== undefined &&
    !(Number.isInteger(row.token) && row.token >= 0 && row.token < vocabularySize)
  ) {
    throw new DecodingError("UNKNOWN_TOKEN", {
      message: `Row ${index} feeds token ${row.token}, but the vocabulary has ${vocabularySize}.`,
      fix: "Feed ids from 0 to one below the vocabulary's size.",
    });
  }
  if (row.embedding && row.embedding.length !== width) {
    throw new DecodingError("SHAPE_MISMATCH", {
      message: `Row ${index} has an embedding of ${row.embedding.length} values, but the model's width is ${width}.`,
      fix: "Give one value for each dimension of the hidden state.",
    });
  }
  if (row.feature && row.feature.length !== width) {
    throw new DecodingError("SHAPE_MISMATCH", {
      message: `Row ${index} has a feature of ${row.feature.length} values, but the model's width is ${width}.`,
      fix: "Give the target's state of the position before.",
    });
  }
  for (const [name, vector] of Object.entries(row.vectors ?? {})) {
    if (vector.length !== vectorWidths.get(name)) {
      throw new DecodingError("SHAPE_MISMATCH", {
        message: `Row ${index} has ${vector.length} values for "${name}", but the extension takes ${vectorWidths.get(name)}.`,
        fix: "Give vectors of the width that the extension declares.",
      });
    }
    mustBeModest(vector, name, index);
  }
  if (row.embedding) mustBeModest(row.embedding, "embedding", index);
  for (const [name, value] of Object.entries(row.integers ?? {})) {
    if (!Number.isSafeInteger(value)) {
      throw invalidRow(`row ${index} has ${value} for "${name}"`, "Give a whole number.");
    }
  }
}

/** One NaN in the cache, or what overflows to it, would reach every row: 0 times NaN is NaN. */
function mustBeModest(vector: Float32Array, name: string, index: number): void {
  if (vector.every((value) => Math.abs(value) <= MOST_INJECTED)) return;
  throw invalidRow(
    `row ${index} has values in "${name}" that are not finite or beyond ${MOST_INJECTED}`,
    "Inject finite numbers.",
  );
}
