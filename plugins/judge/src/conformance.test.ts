import { rejection, speculative, TokenTree } from "@foretoken/core";
import {
  mixedDrafter,
  randomDrafter,
  randomLaw,
  type ScriptedModel,
  sampledDrafter,
  testDecoder,
  testVerifier,
  textDrafter,
} from "@foretoken/testing";
import { scriptedJudge } from "./__fixtures__/scripted-judge.ts";
import { judge } from "./judge.ts";

/** A judge of trees without a model, whose states are zeros: its opinion is its bias. */
const sureHead = scriptedJudge([0], 2, 4);

testVerifier("judge with threshold 1 around draw-and-match", () => judge({ threshold: 1 }), { draws: 2_000 });
testVerifier(
  "judge with threshold 1 around rejection",
  () => judge({ verifier: rejection(), head: sureHead, threshold: 1 }),
  { draws: 3_000 },
);
testVerifier("judge that overrides", () => judge({ head: sureHead }));
testVerifier("judge that overrides rejection", () => judge({ verifier: rejection(), head: sureHead }));
testVerifier("judge by divergence", () => judge({ control: "divergence", threshold: 0.1 }));
testVerifier("judge by chance", () => judge({ verifier: rejection(), control: "random", threshold: 0.4 }));
testVerifier("judge around a judge", () =>
  judge({ head: sureHead, verifier: judge({ control: "random", threshold: 0.7 }) }),
);

/** Accepts about every other token. */
const head = scriptedJudge([1.5, 0.1, 0, 1e-7], -3);

const chosen = (model: ScriptedModel) => randomDrafter({ seed: 71, vocabularySize: model.vocabularySize });
const drawn = (model: ScriptedModel) =>
  sampledDrafter({
    law: randomLaw({ seed: 72, vocabularySize: model.vocabularySize }),
    endTokens: [...(model.tokenizer?.endTokens ?? [])],
  });

const DECODERS: Readonly<Record<string, (model: ScriptedModel) => ReturnType<typeof speculative>>> = {
  "judge over chosen trees": (model) => speculative({ drafters: chosen(model), verifier: judge({ head }) }),
  "judge over drawn and chosen siblings": (model) =>
    speculative({
      drafters: mixedDrafter([drawn(model), chosen(model)]),
      verifier: judge({ verifier: rejection(), head }),
    }),
  "judge by divergence over drawn siblings": (model) =>
    speculative({
      drafters: drawn(model),
      verifier: judge({ verifier: rejection(), control: "divergence", threshold: 0.3 }),
    }),
  "judge without a draft": () =>
    speculative({
      drafters: textDrafter({ name: "none", propose: (text) => new TokenTree(text.at(-1)!) }),
      verifier: judge({ head }),
    }),
};
for (const [name, make] of Object.entries(DECODERS)) testDecoder(name, make);

testDecoder(
  "judge with threshold 1",
  (model) => speculative({ drafters: chosen(model), verifier: judge({ threshold: 1 }) }),
  // Its tokens equal plain decoding's, so counting them to compare laws would add nothing.
  { draws: 0 },
);
testDecoder(
  "judge with threshold 1 against rejection",
  (model) =>
    speculative({ drafters: drawn(model), verifier: judge({ verifier: rejection(), head, threshold: 1 }) }),
  {
    level: "identical",
    draws: 0,
    reference: (model) => speculative({ drafters: drawn(model), verifier: rejection() }),
  },
);
