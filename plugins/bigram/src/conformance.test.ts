import { modelOwner, SuccessorCounts } from "@foretoken/drafting";
import { type ScriptedModel, testDrafter } from "@foretoken/testing";
import { bigram } from "./bigram.ts";

/** A table in which every token is followed by the two above it. */
function ring(model: ScriptedModel) {
  const { vocabularySize } = model;
  const counts = new SuccessorCounts({ order: 1, vocabularySize, owner: modelOwner(model) });
  for (let token = 0; token < vocabularySize; token++) {
    counts.add(token, (token + 1) % vocabularySize, 5, 8);
    counts.add(token, (token + 2) % vocabularySize, 2, 0);
  }
  return counts.table();
}

testDrafter("bigram", () => bigram(), { draws: 2_000 });
testDrafter("bigram with a table", (model) => bigram({ table: ring(model), nodes: 9 }), { draws: 2_000 });
testDrafter("bigram with a table alone", (model) => bigram({ table: ring(model), update: false }), {
  draws: 0,
  forgets: true,
});
