/** Two drafters in one tree: what each of them proposed, and what became text. */
import { fixedBudget, generate, speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { loadModel } from "@foretoken/runtime";
import { tokenRecycling } from "@foretoken/token-recycling";

const model = await loadModel("smollm2-135m-instruct");
const { text, report } = await generate(model, {
  messages: [{ role: "user", content: "List five fruits. Then list the same five fruits in reverse order." }],
  decoder: speculative({
    drafters: [promptLookup(), tokenRecycling()],
    budget: fixedBudget({ nodes: [4, 2] }),
  }),
  maxTokens: 64,
});

console.log(text);
for (const [source, { drafted, accepted }] of Object.entries(report.bySource)) {
  console.log(`${source}: ${accepted} of ${drafted} drafted tokens became text`);
}
await model.dispose();
