import { DecodingError, type RowInput } from "@foretoken/core";
import type { PlannedRow } from "./pass-queue.ts";
import { invalidRow } from "./session-errors.ts";

/**
 * The rows of a call that rows name by how many parents up they stand.
 *
 * @param parents - For each row the row of the call that it follows, if any.
 * @param names - Integers that name ancestors.
 * @returns For each row the indices in the call, by name; `undefined` for a row that names none.
 * @throws `DecodingError` `INVALID_ROW` for an ancestor that is no row of the call.
 */
export function ancestorsOf(
  rows: readonly RowInput[],
  parents: readonly (number | undefined)[],
  names: readonly string[],
): readonly PlannedRow["ancestors"][] {
  return rows.map(({ integers = {} }, index) => {
    const given = names.filter((name) => integers[name] !== undefined);
    if (given.length === 0) return undefined;
    return Object.fromEntries(given.map((name) => [name, climb(index, parents, name, integers[name])]));
  });
}

function climb(
  index: number,
  parents: readonly (number | undefined)[],
  name: string,
  levels: number,
): number {
  let row: number | undefined = index;
  for (let level = 0; level < levels && row !== undefined; level++) row = parents[row];
  if (row !== undefined && levels >= 0) return row;
  throw invalidRow(
    `row ${index} names the row ${levels} above it in "${name}", which is not a row of the call`,
    "Name an ancestor of the same call; 0 is the row itself.",
  );
}

/**
 * Cuts a pass into parts of at most `mostRows` rows, none between a row and an ancestor that it names. Calls that can be cut alone
 * can be cut when they are fused, since nothing reaches from one into another.
 *
 * @returns Where the parts end, in order.
 * @throws `DecodingError` `UNSUPPORTED` when rows that name each other do not fit into one part.
 */
export function cutPass(rows: readonly Pick<PlannedRow, "ancestors">[], mostRows: number): readonly number[] {
  if (rows.length <= mostRows) return [rows.length];
  const isCut = legalCuts(rows);
  const ends: number[] = [];
  for (let first = 0; first < rows.length; ) {
    let end = Math.min(first + mostRows, rows.length);
    while (end > first && !isCut[end]) end--;
    if (end === first) {
      const next = isCut.indexOf(true, first + 1);
      throw new DecodingError("UNSUPPORTED", {
        message: `The device runs ${mostRows} rows at a time, but rows ${first} to ${next - 1} name each other and cannot be parted.`,
        fix: "Draft fewer nodes or probes in one pass.",
      });
    }
    ends.push(end);
    first = end;
  }
  return ends;
}

/** Whether a pass may be cut before each row: whether no row from there on names one before it. `[T + 1]` */
function legalCuts(rows: readonly Pick<PlannedRow, "ancestors">[]): boolean[] {
  const isCut = new Array<boolean>(rows.length + 1).fill(true);
  let least = rows.length;
  for (let row = rows.length - 1; row >= 0; row--) {
    least = Math.min(least, row, ...Object.values(rows[row].ancestors ?? {}));
    isCut[row] = least === row;
  }
  return isCut;
}
