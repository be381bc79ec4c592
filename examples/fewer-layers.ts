/** The further an answer goes, the fewer layers run; drafts change nothing of what is written. */
import { generate, plain, speculative } from "@foretoken/core";
import { promptLookup } from "@foretoken/prompt-lookup";
import { loadModel } from "@foretoken/runtime";
import { skipDecode } from "@foretoken/skip-decode";

const model = await loadModel("smollm2-135m-instruct");
const schedule = skipDecode({ minLayers: 26, length: 32 });
const session = model.createSession();

for (const decoder of [plain({ schedule }), speculative({ drafters: promptLookup(), schedule })]) {
  const { text, guarantee, report } = await generate(model, {
    messages: [{ role: "user", content: "Name three colours of the rainbow." }],
    decoder,
    session,
    temperature: 0,
    maxTokens: 40,
  });
  console.log(text);
  console.log(
    `${report.targetPasses} passes; the text is ${guarantee.level}: ${guarantee.reasons.join("; ")}`,
  );
}
const layers = session.tokens.map((_, at) => session.layersAt(at)?.filter(Boolean).length ?? model.layers);
console.log(`layers of each row: ${layers.join(" ")}`);
session.dispose();
await model.dispose();
