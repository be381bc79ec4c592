import { speculative } from "@foretoken/core";
import { randomDrafter, randomLaw, sampledDrafter, testDecoder, testVerifier } from "@foretoken/testing";
import { typicalAcceptance } from "./typical-acceptance.ts";

testVerifier("typical-acceptance", () => typicalAcceptance());
testVerifier("typical-acceptance that draws", () => typicalAcceptance({ mode: "typical" }));
testVerifier(
  "typical-acceptance that cuts nothing",
  () => typicalAcceptance({ mode: "typical", epsilon: 0 }),
  {
    draws: 2_000,
  },
);

testDecoder("typical-acceptance over chosen trees", ({ vocabularySize }) =>
  speculative({ drafters: randomDrafter({ seed: 71, vocabularySize }), verifier: typicalAcceptance() }),
);
testDecoder("typical-acceptance that draws, over drawn trees", (model) =>
  speculative({
    drafters: sampledDrafter({
      law: randomLaw({ seed: 72, vocabularySize: model.vocabularySize }),
      endTokens: [...(model.tokenizer?.endTokens ?? [])],
    }),
    verifier: typicalAcceptance({ mode: "typical" }),
  }),
);
testDecoder(
  "typical-acceptance that cuts nothing",
  ({ vocabularySize }) =>
    speculative({
      drafters: randomDrafter({ seed: 73, vocabularySize }),
      verifier: typicalAcceptance({ mode: "typical", alpha: 0 }),
    }),
  // Its tokens equal plain decoding's, so counting them to compare laws would add nothing.
  { draws: 0 },
);
