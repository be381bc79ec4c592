import { randomLaw, scriptedSource, testDrafter } from "@foretoken/testing";
import { dyspec } from "./dyspec.ts";

/** Another model's opinion: random, and wrong more often than not. */
const sourceFor = ({ vocabularySize }: { readonly vocabularySize: number }) =>
  scriptedSource({ law: randomLaw({ seed: 78, vocabularySize, order: 2, holes: 0.2 }) });

testDrafter("dynamic trees by layers", (model) => dyspec({ source: sourceFor(model), nodes: 10 }), {
  draws: 3_000,
  forgets: true,
});
testDrafter(
  "greedy dynamic trees",
  (model) => dyspec({ source: sourceFor(model), variant: "greedy", nodes: 10 }),
  { draws: 3_000, forgets: true },
);
