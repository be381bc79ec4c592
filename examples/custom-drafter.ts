/** A drafter of your own, chosen from JSON and merged with another one. */
import { generate, registry } from "@foretoken/core";
import { plugin as promptLookup } from "@foretoken/prompt-lookup";
import { loadModel } from "@foretoken/runtime";
import { plugin as followLast } from "./follow-last.ts";

registry.register(promptLookup);
registry.register(followLast);

const model = await loadModel("smollm2-135m-instruct");
const { text, report } = await generate(model, {
  messages: [{ role: "user", content: "Repeat three times: the rain in Spain stays mainly in the plain." }],
  decoder: registry.compose("decoder", ["prompt-lookup", { use: "follow-last", length: 2 }]),
  maxTokens: 64,
});

console.log(text);
for (const [source, { drafted, accepted }] of Object.entries(report.bySource)) {
  console.log(`${source}: ${accepted} of ${drafted} drafted tokens became text`);
}
await model.dispose();
