import { testDrafter } from "@foretoken/testing";
import { promptLookup } from "./prompt-lookup.ts";

testDrafter("prompt lookup", () => promptLookup(), { draws: 2_000, forgets: true });
testDrafter(
  "prompt lookup that always drafts",
  () => promptLookup({ minNgram: 2, minProbability: 0, maxTokens: 64 }),
  { draws: 2_000, forgets: true },
);
