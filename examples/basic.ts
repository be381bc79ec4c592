/** One question, one answer, and what it cost. */
import { generate, speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { loadModel } from "@foretoken/runtime";

const model = await loadModel("smollm2-135m-instruct");
const { text, report } = await generate(model, {
  messages: [{ role: "user", content: "Write the numbers from one to ten as words, twice." }],
  decoder: speculative({ drafters: promptLookup() }),
  maxTokens: 48,
});

console.log(text);
console.log(
  `${report.tokens} tokens in ${report.targetPasses} passes, ${report.blockEfficiency.toFixed(2)} a pass; ` +
    `the text is ${report.guarantee.level} to plain decoding.`,
);
await model.dispose();
