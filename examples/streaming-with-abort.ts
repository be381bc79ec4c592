/** Shows text as it becomes certain, and stops after a while without losing what was made. */
import { speculative, stream } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { loadModel } from "@foretoken/runtime";

const model = await loadModel("smollm2-135m-instruct");
const controller = new AbortController();
const answer = stream(model, {
  messages: [{ role: "user", content: "Tell me a long story about a lighthouse." }],
  decoder: speculative({ drafters: promptLookup() }),
  maxTokens: 500,
  temperature: 0.8,
  topP: 0.95,
  seed: 1,
  signal: controller.signal,
});

let shown = "";
for await (const { text } of answer) {
  shown += text;
  process.stdout.write(text);
  if (shown.length > 120) controller.abort();
}

const { finish, tokens } = await answer.result;
console.log(`\n[${finish} after ${tokens.length} tokens]`);
await model.dispose();
