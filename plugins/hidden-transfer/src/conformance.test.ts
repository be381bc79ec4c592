import { testDrafter } from "@foretoken/testing";
import { mapsFor } from "./__fixtures__/transfer-maps.ts";
import { hiddenTransfer } from "./hidden-transfer.ts";

testDrafter("hidden transfer", (model) => hiddenTransfer({ head: mapsFor(model), rows: 12 }), {
  draws: 2_000,
  forgets: false,
});
testDrafter(
  "hidden transfer that adds few rows",
  (model) => hiddenTransfer({ head: mapsFor(model), rows: 2, foreignProbes: 0, source: "previous" }),
  { draws: 0 },
);
