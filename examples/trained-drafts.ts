/** Drafts of trained parts: three ways to guess the next tokens without a second model. What is written stays the same. */
import { chimera } from "@foretoken/chimera";
import { type Drafter, generate, plain, speculative } from "@foretoken/core";
import { hiddenTransfer } from "@foretoken/hidden-transfer";
import { ppd } from "@foretoken/ppd";
import { loadModel } from "@foretoken/runtime";
import { smollm2Chimera, smollm2HiddenTransfer, smollm2Ppd } from "@foretoken/smollm2-heads";

const model = await loadModel("smollm2-135m-instruct");
const options = {
  messages: [{ role: "user", content: "Write the numbers from one to ten as words." }],
  temperature: 0,
  maxTokens: 40,
};

const drafters: readonly Drafter[] = [
  ppd({ head: smollm2Ppd, rows: 8 }),
  hiddenTransfer({ head: smollm2HiddenTransfer, rows: 8 }),
  chimera({ head: smollm2Chimera }),
];
const { text } = await generate(model, { ...options, decoder: plain() });
console.log(text);
for (const drafter of drafters) {
  const { report } = await generate(model, { ...options, decoder: speculative({ drafters: drafter }) });
  console.log(
    `${drafter.name}: ${report.blockEfficiency.toFixed(2)} tokens a pass, ${report.rows} rows in ${report.targetPasses} passes`,
  );
}
await model.dispose();
