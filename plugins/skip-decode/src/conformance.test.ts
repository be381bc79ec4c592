import { plain, speculative } from "@foretoken/core";
import { randomDrafter, testDecoder } from "@foretoken/testing";
import { skipDecode } from "./skip-decode.ts";

/** The suite reads the model's own law with all layers. */
const skip = {
  "A7: every returned token has one log-probability, the model's own":
    "its law is the model's with layers left out",
};
const schedule = skipDecode({ minLayers: 2, warmupLayers: 1, length: 6, buckets: 3 });

testDecoder("plain under skip-decode", () => plain({ schedule }), { skip });
testDecoder("plain under skip-decode that leaves nothing out", () =>
  plain({ schedule: skipDecode({ factor: 1 }) }),
);
testDecoder(
  "drafts under skip-decode",
  ({ vocabularySize }) => speculative({ drafters: randomDrafter({ seed: 3, vocabularySize }), schedule }),
  { level: "identical", draws: 0, reference: () => plain({ schedule }), skip },
);
