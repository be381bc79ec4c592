import { TableStore } from "@foretoken/drafting";
import { testDrafter } from "@foretoken/testing";
import { tokenRecycling } from "./token-recycling.ts";

testDrafter("token recycling", () => tokenRecycling(), { draws: 2_000 });
testDrafter(
  "token recycling with whole trees and a seeded copy of a store",
  () => tokenRecycling({ nodes: 80, seedFromPrompt: true, store: new TableStore(), copyStore: true }),
  { draws: 2_000 },
);
testDrafter(
  "token recycling with a shared table",
  () => tokenRecycling({ nodes: 8, store: new TableStore() }),
  {
    draws: 0,
    skip: {
      "a fork drafts like the original, and neither disturbs the other":
        "all sequences of one store learn together",
    },
  },
);
