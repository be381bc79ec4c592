/** Drafts of trained parts, without a second model: verified they change nothing of what is written, unverified they may. */
import { chimera } from "@foretoken/chimera";
import { type Decoder, generate, plain, speculative } from "@foretoken/core";
import { hiddenTransfer } from "@foretoken/hidden-transfer";
import { lud } from "@foretoken/lud";
import { ppd } from "@foretoken/ppd";
import { loadModel } from "@foretoken/runtime";
import { smollm2Chimera, smollm2HiddenTransfer, smollm2Lud, smollm2Ppd } from "@foretoken/smollm2-heads";
import { typicalAcceptance } from "@foretoken/typical-acceptance";

const promptTokens = ppd({ head: smollm2Ppd, rows: 8 });
const decoders: Readonly<Record<string, Decoder>> = {
  plain: plain(),
  ppd: speculative({ drafters: promptTokens }),
  "hidden-transfer": speculative({ drafters: hiddenTransfer({ head: smollm2HiddenTransfer, rows: 8 }) }),
  chimera: speculative({ drafters: chimera({ head: smollm2Chimera }) }),
  "ppd, typical": speculative({ drafters: promptTokens, verifier: typicalAcceptance() }),
  lud: lud({ head: smollm2Lud, threshold: 0.7 }),
};

const model = await loadModel("smollm2-135m-instruct");
for (const [name, decoder] of Object.entries(decoders)) {
  const { text, guarantee, report } = await generate(model, {
    messages: [{ role: "user", content: "Write the numbers from one to ten as words." }],
    temperature: 0,
    maxTokens: 40,
    decoder,
  });
  if (name === "plain") console.log(text);
  console.log(`${name}: ${report.blockEfficiency.toFixed(2)} tokens a pass, ${guarantee.level}`);
}
await model.dispose();
