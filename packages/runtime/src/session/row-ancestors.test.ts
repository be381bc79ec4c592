import type { RowInput } from "@foretoken/core";
import { expect, test } from "vitest";
import { ancestorsOf, cutPass } from "./row-ancestors.ts";

const code = (expected: string) => expect.objectContaining({ name: "DecodingError", code: expected });

/** Rows that name the rows given, if any. */
const naming = (...ancestors: (number | undefined)[]) =>
  ancestors.map((above) => (above === undefined ? {} : { ancestors: { above } }));

test("an ancestor is found by climbing parents, not by its order in the call", () => {
  const rows: RowInput[] = [
    {},
    {},
    { integers: { up: 1 } },
    { integers: { up: 2, other: 9 } },
    { integers: { up: 0 } },
  ];
  const parents = [undefined, 0, 0, 2, 1];
  expect(ancestorsOf(rows, parents, ["up"])).toEqual([undefined, undefined, { up: 0 }, { up: 0 }, { up: 4 }]);
  expect(() => ancestorsOf([{ integers: { up: 1 } }], [undefined], ["up"])).toThrow(code("INVALID_ROW"));
});

test("passes are cut as late as can be, and not between a row and an ancestor", () => {
  expect(cutPass(naming(undefined, undefined, undefined), 3)).toEqual([3]);
  expect(cutPass(naming(...new Array(7).fill(undefined)), 3)).toEqual([3, 6, 7]);
  expect(cutPass(naming(undefined, undefined, undefined, 2, undefined), 3)).toEqual([2, 5]);
  // Row 4 names row 0, row 3 names row 2: the first five rows belong together.
  expect(cutPass(naming(undefined, undefined, undefined, 2, 0, undefined), 5)).toEqual([5, 6]);
  expect(() => cutPass(naming(undefined, undefined, undefined, 2, 0, undefined), 4)).toThrow(
    /rows 0 to 4 name each other/,
  );
});
