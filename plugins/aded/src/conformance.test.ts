import { SuccessorCounts, type SuccessorTable, textOwner } from "@foretoken/drafting";
import { randomLaw, type ScriptedModel, testDrafter } from "@foretoken/testing";
import { aded } from "./aded.ts";

/** A table that knows every pair, and is wrong about most. */
function adversary(model: ScriptedModel): SuccessorTable {
  const { vocabularySize } = model;
  const owner = textOwner(model);
  const counts = new SuccessorCounts({ order: 2, vocabularySize, owner, successors: 3 });
  const law = randomLaw({ seed: 3, vocabularySize, order: 2 });
  for (let before = 0; before < vocabularySize; before++) {
    for (let token = 0; token < vocabularySize; token++) {
      for (const [next, share] of law([before, token]).entries()) {
        if (share > 0) counts.add(before * vocabularySize + token, next, share, 1 / vocabularySize);
      }
    }
  }
  return counts.table();
}

testDrafter("aded", () => aded(), { draws: 2_000 });
testDrafter(
  "aded with a searched table",
  (model) => aded({ table: adversary(model), search: "puct", iterations: 30, nodes: 12 }),
  { draws: 2_000 },
);
testDrafter(
  "aded as published",
  () => aded({ search: "puct", backup: "published", learnPrompt: false, iterations: 30, nodes: 64 }),
  { draws: 0 },
);
