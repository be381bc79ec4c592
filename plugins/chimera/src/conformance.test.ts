import { randomLaw, testDrafter, testSource } from "@foretoken/testing";
import { headFor, withNetwork } from "./__fixtures__/scripted-network.ts";
import { chimera } from "./chimera.ts";
import { chimeraDraft } from "./chimera-draft.ts";

testSource(
  "chimera",
  (target) => {
    withNetwork(target, { law: randomLaw({ seed: 12, vocabularySize: target.vocabularySize, order: 4 }) });
    return chimeraDraft({ head: headFor(target) });
  },
  { draws: 2_000 },
);

testDrafter(
  "chimera",
  (target) => {
    withNetwork(target, { law: randomLaw({ seed: 12, vocabularySize: target.vocabularySize, order: 4 }) });
    return chimera({ head: headFor(target), nodes: 8 });
  },
  { draws: 2_000, forgets: true },
);
