import { speculative } from "@foretoken/core";
import { ppd } from "@foretoken/ppd";
import { promptLookup } from "@foretoken/prompt-lookup";
import { testDecoder } from "@foretoken/testing";
import { promptTokensFor } from "../plugins/ppd/src/__fixtures__/prompt-tokens.ts";

testDecoder(
  "prompt lookup and prompt tokens merged",
  (model) => speculative({ drafters: [promptLookup(), ppd({ head: promptTokensFor(model), rows: 8 })] }),
  { draws: 2_000 },
);
