import { plain, rejection, speculative } from "@foretoken/core";
import {
  randomDrafter,
  randomLaw,
  type ScriptedModel,
  sampledDrafter,
  testDecoder,
} from "@foretoken/testing";
import { cntp } from "./cntp.ts";

/** Models of the suite write letters, and some nothing: a token is named instead of marks. */
const punctuation = [3];
const chosen = (model: ScriptedModel) =>
  speculative({ drafters: randomDrafter({ seed: 71, vocabularySize: model.vocabularySize }) });
const drawn = (model: ScriptedModel) =>
  speculative({
    drafters: sampledDrafter({
      law: randomLaw({ seed: 72, vocabularySize: model.vocabularySize }),
      endTokens: [...(model.tokenizer?.endTokens ?? [])],
    }),
    verifier: rejection(),
  });

testDecoder("cntp", () => cntp({ punctuation }));
testDecoder("cntp in turn", () => cntp({ punctuation, execution: "sequential", maxTrials: 4 }));
testDecoder("cntp around chosen drafts", (model) => cntp({ punctuation, decoder: chosen(model) }));
testDecoder("cntp around drawn drafts", (model) =>
  cntp({ punctuation, decoder: drawn(model), execution: "sequential" }),
);
testDecoder("cntp around cntp", () =>
  cntp({ punctuation, maxTrials: 3, decoder: cntp({ punctuation: [2], maxTrials: 2, minEntropy: 0.5 }) }),
);
testDecoder("cntp at a temperature of its own", () =>
  cntp({ punctuation, exploreTemperature: 0.7, maxTrials: 3 }),
);
testDecoder("cntp with one trial", () => cntp({ maxTrials: 1 }), { draws: 0 });
testDecoder(
  "cntp with one trial around drawn drafts",
  (model) => cntp({ maxTrials: 1, decoder: drawn(model) }),
  {
    level: "identical",
    draws: 0,
    reference: drawn,
  },
);
// Entropies of the suite's models stay below: nowhere is there a trial, and every token passes through the watch.
testDecoder("cntp that is never in doubt", () => cntp({ punctuation, minEntropy: 50, maxEntropy: 60 }), {
  level: "identical",
  draws: 0,
  reference: () => plain(),
});
testDecoder(
  "cntp that is never in doubt about chosen drafts",
  (model) => cntp({ punctuation, minEntropy: 50, maxEntropy: 60, decoder: chosen(model) }),
  { level: "identical", draws: 0 },
);
