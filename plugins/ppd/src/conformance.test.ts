import { testDrafter } from "@foretoken/testing";
import { promptTokensFor } from "./__fixtures__/prompt-tokens.ts";
import { ppd } from "./ppd.ts";

testDrafter("ppd", (model) => ppd({ head: promptTokensFor(model), rows: 12 }), {
  draws: 2_000,
  forgets: false,
});
testDrafter(
  "ppd that adds few rows",
  (model) => ppd({ head: promptTokensFor(model), rows: 2, foreignProbes: 0 }),
  {
    draws: 0,
  },
);
testDrafter("ppd with two copies", (model) => ppd({ head: promptTokensFor(model, { copies: 2 }), rows: 9 }), {
  draws: 0,
});
