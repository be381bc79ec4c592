import { test } from "vitest";
import { brokenDecoder, type DecoderBug } from "./broken-decoder.ts";
import { expectCheckToFail } from "./check.ts";
import { decoderChecks } from "./test-decoder.ts";

/** Each bug, and the checks that must notice it. */
const MUTANTS: Readonly<Record<DecoderBug, readonly string[]>> = {
  "goes on behind an end inside a run": ["A1: an end token or budget inside a run ends the answer there"],
  "drafts behind the context's end": ["B3: the last token lands on the context's end"],
  "draws by order, not by key": [
    "the same seed gives the same text again",
    "the same seed gives plain decoding's tokens",
  ],
  "reads the law one row too early": [
    "temperature 0 gives plain decoding's tokens",
    "texts have the exact law",
  ],
  "advances penalties by steps": [
    "A4: penalties, bias and bans give plain decoding's text",
    "A10: a constraint holds in every answer, and is never asked behind the end",
  ],
  "puts the newest token into the cache": [
    "A1: an end token or budget inside a run ends the answer there",
    "a given session holds the prompt and all tokens but the last",
  ],
  "leaves rejected rows pending": ["a given session holds the prompt and all tokens but the last"],
  "keeps rows pending after an error": [
    "A9: NaN logits are an error, and leave the session at its last commit",
  ],
  "keeps decoding after an abort": [
    "E1: an abort at any await keeps the text so far, and the session goes on",
  ],
  "reports log-probability 0 for accepted tokens": [
    "A7: every returned token has one log-probability, the model's own",
  ],
  "counts a draft twice": ["events tell the whole text, and add up to the report"],
  "accepts a draft where the target is undecided": [
    "texts have the exact law",
    "the same seed gives plain decoding's tokens",
  ],
  "asks for no logits": ["temperature 0 gives plain decoding's tokens"],
  "lies about its tree": ["events tell the whole text, and add up to the report"],
  "shares state between sequences": [
    "E2: answers made at the same time on one model are those made alone",
    "a fork in the middle of a text goes on like the original, and neither disturbs the other",
  ],
};

const DRAWS = 3_000;

test("the loop without a bug passes every check", async () => {
  for (const { run } of decoderChecks((model) => brokenDecoder(model), { draws: DRAWS })) await run();
});

for (const [bug, names] of Object.entries(MUTANTS)) {
  test(`a decoder that ${bug} fails`, async () => {
    const checks = decoderChecks((model) => brokenDecoder(model, bug as DecoderBug), { draws: DRAWS });
    for (const name of names) await expectCheckToFail(checks, name);
  });
}
