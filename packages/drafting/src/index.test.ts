import { expect, test } from "vitest";
import * as drafting from "./index.ts";

test("exports what several drafters share", () => {
  expect(Object.keys(drafting).sort()).toEqual([
    "DraftRows",
    "ROOT_TIP",
    "SiblingDraws",
    "TEMPLATE_2_2_2",
    "TableStore",
    "TokenTable",
    "candidatesNeeded",
    "cutTemplate",
    "decodeTable",
    "encodeTable",
    "headMisfit",
    "loadHead",
    "loadTable",
    "readHead",
    "readManifest",
    "saveTable",
    "sourceDrafter",
    "tableTree",
    "treeTemplate",
  ]);
});
