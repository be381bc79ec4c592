import { randomLaw, scriptedSource, testDrafter } from "@foretoken/testing";
import { rsd } from "./rsd.ts";

/** Another model's opinion: random, and wrong more often than not. */
const sourceFor = ({ vocabularySize }: { readonly vocabularySize: number }) =>
  scriptedSource({ law: randomLaw({ seed: 77, vocabularySize, order: 2, holes: 0.2 }) });

testDrafter("RSD-S", (model) => rsd({ source: sourceFor(model) }), { draws: 3_000, forgets: true });
testDrafter("RSD-C", (model) => rsd({ source: sourceFor(model), branching: [3, 2, 1] }), {
  draws: 3_000,
  forgets: true,
});
