import { compareDrafts, fitsLaw, wrongTrees } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import type { RsdOptions } from "./options.ts";
import { rsd } from "./rsd.ts";

/** Few, to be quick; the README says what came out with many. */
const DRAWS = Number(process.env.FORETOKEN_LAW_DRAWS ?? 2_000);

type Shape = Omit<RsdOptions, "source">;

const SHAPES: Readonly<Record<string, Shape>> = {
  "RSD-C (2, 2)": { branching: [2, 2] },
  "RSD-C (3, 2, 1)": { branching: [3, 2, 1] },
  "RSD-S W = 3, L = 2": { width: 3, depth: 2 },
  "RSD-S W = 3, L = 3": { width: 3, depth: 3 },
};

const WHERE: Readonly<
  Record<string, { readonly holes?: number; readonly endTokens?: number[]; readonly limit?: number }>
> = {
  "with full supports": {},
  "with truncated supports": { holes: 0.35 },
  "with an end token in the tree": { endTokens: [3] },
  "with a budget that cuts the tree": { limit: 4 },
};

describe.each(Object.entries(SHAPES))("texts of %s have the exact law", (_, shape) => {
  test.each(Object.entries(WHERE))("%s", async (_, options) => {
    const makeDrafter = (source: RsdOptions["source"]) => rsd({ source, ...shape });
    const found = await compareDrafts({ makeDrafter, draws: DRAWS, ...options });
    expect(fitsLaw(found), JSON.stringify(found)).toBe(true);
  });

  test("with drafts cut to two tokens at another temperature", async () => {
    const makeDrafter = (source: RsdOptions["source"]) =>
      rsd({ source, ...shape, topK: 2, temperature: 1.7 });
    const found = await compareDrafts({ makeDrafter, draws: DRAWS });
    expect(fitsLaw(found), JSON.stringify(found)).toBe(true);
  });
});

describe.each(Object.entries(wrongTrees))("the law test catches it when %s", (_, mutate) => {
  test.each([
    ["RSD-C (3, 2, 1)", 0],
    ["RSD-S W = 3, L = 3", 0],
    ["RSD-S W = 3, L = 3", 0.35],
  ])("%s, holes %d", async (name, holes) => {
    const makeDrafter = (source: RsdOptions["source"]) => rsd({ source, ...SHAPES[name] });
    const found = await compareDrafts({ makeDrafter, draws: 2_000, holes, mutate });
    expect(fitsLaw(found), JSON.stringify(found)).toBe(false);
    expect(found.deviation).toBeGreaterThan(6);
  });
});
