import { plain, rejection, speculative } from "@foretoken/core";
import { oracleDrafter, randomDrafter, silentDrafter, wrongDrafter } from "../drafters/known-drafters.ts";
import { mixedDrafter, sampledDrafter } from "../drafters/sampled-drafter.ts";
import { randomLaw } from "../scripted/scripted-laws.ts";
import type { ScriptedModel } from "../scripted/scripted-model.ts";
import { testDecoder } from "./test-decoder.ts";

const random = (seed: number, model: ScriptedModel) =>
  randomDrafter({ seed, vocabularySize: model.vocabularySize, name: `random-${seed}` });
const drawn = (model: ScriptedModel, replacement: boolean) =>
  sampledDrafter({
    law: randomLaw({ seed: 77, vocabularySize: model.vocabularySize, order: 2 }),
    endTokens: [...(model.tokenizer?.endTokens ?? [])],
    replacement,
  });

const FEW = { draws: 4_000 };

testDecoder("plain", () => plain(), FEW);
testDecoder("speculative with a silent drafter", () => speculative({ drafters: silentDrafter() }), FEW);
testDecoder(
  "speculative with an oracle",
  (model) => speculative({ drafters: oracleDrafter(model, { peeks: true }) }),
  FEW,
);
testDecoder(
  "speculative with a drafter that is always wrong",
  (model) => speculative({ drafters: wrongDrafter(model) }),
  FEW,
);
testDecoder(
  "speculative with merged random trees",
  (model) => speculative({ drafters: [random(1, model), random(2, model), oracleDrafter(model)] }),
  FEW,
);
testDecoder(
  "rejection of trees drawn without replacement",
  (model) => speculative({ drafters: drawn(model, false) }),
  FEW,
);
testDecoder(
  "rejection of trees drawn with replacement",
  (model) => speculative({ drafters: drawn(model, true) }),
  FEW,
);
testDecoder(
  "rejection of random trees",
  (model) => speculative({ drafters: random(3, model), verifier: rejection() }),
  FEW,
);
testDecoder("rejection of drawn and chosen tokens together", (model) =>
  speculative({ drafters: [random(4, model), drawn(model, false)] }),
);
testDecoder(
  "rejection of one drafter with drawn and chosen tokens",
  (model) => speculative({ drafters: mixedDrafter([drawn(model, true), random(5, model)]) }),
  FEW,
);
