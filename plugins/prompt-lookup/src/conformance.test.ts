import { speculative } from "@foretoken/core";
import { testDecoder } from "@foretoken/testing";
import { promptLookup } from "./prompt-lookup.ts";

testDecoder("prompt lookup", () => speculative({ drafters: promptLookup() }), { draws: 4_000 });
testDecoder(
  "prompt lookup that always drafts",
  () => speculative({ drafters: promptLookup({ minProbability: 0, maxTokens: 64 }) }),
  { draws: 4_000 },
);
