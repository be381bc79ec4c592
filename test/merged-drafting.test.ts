import { speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { testDecoder } from "@foretoken/testing";
import { tokenRecycling } from "@foretoken/token-recycling";

testDecoder(
  "prompt lookup and token recycling merged",
  () => speculative({ drafters: [promptLookup(), tokenRecycling({ nodes: 6 })] }),
  { draws: 2_000 },
);
