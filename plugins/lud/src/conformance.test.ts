import { testDecoder, testDrafter } from "@foretoken/testing";
import { lexicalUnitsFor } from "./__fixtures__/lexical-units.ts";
import { lud } from "./lud.ts";
import { ludDraft } from "./lud-draft.ts";

testDecoder("lud", (model) => lud({ head: lexicalUnitsFor(model), threshold: 0.3, repetition: "off" }));

// Tokens that equal plain decoding's need not be counted to compare laws.
const SAME = { draws: 0 };
testDecoder(
  "lud that verifies",
  (model) => lud({ head: lexicalUnitsFor(model), threshold: 0.3, verify: true }),
  SAME,
);
testDecoder(
  "lud at a threshold above 1",
  (model) => lud({ head: lexicalUnitsFor(model), threshold: 1.1 }),
  SAME,
);
testDecoder("lud with lookAhead 1", (model) => lud({ head: lexicalUnitsFor(model), lookAhead: 1 }), SAME);

testDrafter(
  "lud-draft",
  (model) => ludDraft({ head: lexicalUnitsFor(model), threshold: 0, repetition: "off" }),
  { draws: 1_000 },
);
