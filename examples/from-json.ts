/** A decoder described by data: from a settings file, a form or a request. */
import { generate, registry } from "@foretoken/core";
import { plugin as promptLookup } from "@foretoken/prompt-lookup";
import { loadModel } from "@foretoken/runtime";
import { plugin as tokenRecycling } from "@foretoken/token-recycling";

registry.register(promptLookup);
registry.register(tokenRecycling);

const settings = `{
  "use": "speculative",
  "drafters": [{ "use": "prompt-lookup", "maxNgram": 3 }, "token-recycling"],
  "budget": { "use": "fixed", "nodes": [4, 2] }
}`;

const model = await loadModel("smollm2-135m-instruct");
const { text, report } = await generate(model, {
  messages: [{ role: "user", content: "Spell the word lighthouse three times." }],
  decoder: registry.compose("decoder", JSON.parse(settings)),
  maxTokens: 48,
});

console.log(text);
console.log(report.decoder, report.guarantee.level);
await model.dispose();
