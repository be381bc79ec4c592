import { compareDrafts, fitsLaw, wrongTrees } from "@foretoken/testing";
import { describe, expect, test } from "vitest";
import { dyspec } from "./dyspec.ts";
import type { DyspecOptions } from "./options.ts";

/** Few, to be quick; the README says what came out with many. */
const DRAWS = Number(process.env.FORETOKEN_LAW_DRAWS ?? 2_000);

type Source = DyspecOptions["source"];
type Shape = Omit<DyspecOptions, "source">;

const SHAPES: Readonly<Record<string, Shape>> = {
  "greedy, 6 nodes": { variant: "greedy", nodes: 6 },
  "greedy, 10 nodes": { variant: "greedy", nodes: 10, batch: 2 },
  "threshold 1/6": { threshold: 1 / 6, nodes: 64 },
  "threshold 0.1, 6 nodes": { threshold: 0.1, nodes: 6 },
};

const WHERE: Readonly<
  Record<string, { readonly holes?: number; readonly endTokens?: number[]; readonly limit?: number }>
> = {
  "with full supports": {},
  "with truncated supports": { holes: 0.35 },
  "with an end token in the tree": { endTokens: [3] },
  "with a budget that cuts the tree": { limit: 3 },
};

describe.each(Object.entries(SHAPES))("texts of %s have the exact law", (_, shape) => {
  test.each(Object.entries(WHERE))("%s", async (_, options) => {
    const makeDrafter = (source: Source) => dyspec({ source, ...shape });
    const found = await compareDrafts({ makeDrafter, draws: DRAWS, ...options });
    expect(fitsLaw(found), JSON.stringify(found)).toBe(true);
  });

  test("with drafts cut to two tokens at another temperature", async () => {
    const makeDrafter = (source: Source) => dyspec({ source, ...shape, topK: 2, temperature: 1.7 });
    const found = await compareDrafts({ makeDrafter, draws: DRAWS });
    expect(fitsLaw(found), JSON.stringify(found)).toBe(true);
  });
});

describe.each(Object.entries(wrongTrees))("the law test catches it when %s", (_, mutate) => {
  test.each([
    [{ variant: "greedy", nodes: 12 }, 0],
    [{ variant: "greedy", nodes: 12 }, 0.35],
    [{ threshold: 0.1, nodes: 12 }, 0.35],
  ] as const)("%j, holes %d", async (shape, holes) => {
    const makeDrafter = (source: Source) => dyspec({ source, ...shape });
    const found = await compareDrafts({ makeDrafter, draws: 2_000, holes, mutate });
    expect(fitsLaw(found), JSON.stringify(found)).toBe(false);
    expect(found.deviation).toBeGreaterThan(6);
  });
});
