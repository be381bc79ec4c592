import { randomLaw, scriptedSource, testDrafter } from "@foretoken/testing";
import { speculativeSampling } from "./speculative-sampling.ts";

/** A draft of its own mind, as wide as the model it drafts for. */
const sourceFor = (vocabularySize: number) =>
  scriptedSource({ law: randomLaw({ seed: 31, vocabularySize, order: 2, holes: 0.2 }) });

testDrafter(
  "speculative sampling",
  ({ vocabularySize }) => speculativeSampling({ source: sourceFor(vocabularySize) }),
  { draws: 6_000, forgets: true },
);
testDrafter(
  "speculative sampling with few tokens at another temperature",
  ({ vocabularySize }) =>
    speculativeSampling({ source: sourceFor(vocabularySize), length: 3, topK: 2, temperature: 1.4 }),
  { draws: 6_000, forgets: true },
);
