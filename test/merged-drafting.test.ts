import { aded } from "@foretoken/aded";
import { bigram } from "@foretoken/bigram";
import { speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { testDecoder } from "@foretoken/testing";
import { tokenRecycling } from "@foretoken/token-recycling";

testDecoder(
  "prompt lookup and token recycling merged",
  () => speculative({ drafters: [promptLookup(), tokenRecycling({ nodes: 6 })] }),
  { draws: 2_000 },
);
testDecoder(
  "four tables merged",
  () =>
    speculative({
      drafters: [
        promptLookup(),
        tokenRecycling({ nodes: 3 }),
        aded({ nodes: 4, search: "puct", iterations: 20 }),
        bigram({ nodes: 4 }),
      ],
    }),
  { draws: 0 },
);
