/** Where the model is unsure, several continuations are tried and the likeliest is kept. */
import { cntp } from "@foretoken/cntp";
import { generate } from "@foretoken/core";
import { loadModel } from "@foretoken/runtime";

const model = await loadModel("smollm2-135m-instruct");
const { text, report } = await generate(model, {
  messages: [{ role: "user", content: "Name three colours of the rainbow." }],
  decoder: cntp({
    maxTrials: 4,
    onTrials: ({ trials, kept }) => {
      for (const [index, { tokens, meanSurprise }] of trials.entries()) {
        const mark = index === kept ? "kept" : "    ";
        console.log(mark, meanSurprise.toFixed(2), JSON.stringify(model.tokenizer.decode(tokens)));
      }
    },
  }),
  temperature: 0.8,
  topP: 0.9,
  seed: 1,
  maxTokens: 32,
});

console.log(text);
console.log(report.choices.join("\n"));
await model.dispose();
