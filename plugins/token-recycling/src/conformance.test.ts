import { speculative } from "@foretoken/core";
import { TableStore } from "@foretoken/drafting";
import { testDecoder } from "@foretoken/testing";
import { tokenRecycling } from "./token-recycling.ts";

testDecoder("token recycling", () => speculative({ drafters: tokenRecycling() }), { draws: 4_000 });
testDecoder(
  "token recycling with whole trees and a shared, seeded table",
  () =>
    speculative({
      drafters: tokenRecycling({ nodes: 80, seedFromPrompt: true, store: new TableStore() }),
    }),
  { draws: 4_000 },
);
