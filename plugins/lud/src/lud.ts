import { type Decoder, drawAndMatch, type Guarantee, parseOptions, speculative } from "@foretoken/core";
import { confidenceGate } from "./confidence-gate.ts";
import { type LudOptions, optionsSchema } from "./options.ts";
import { sureDraft } from "./sure-draft.ts";

const NAME = "lud";

/**
 * Lexical unit decoding: behind the newest token a pass also runs paddings, trained embeddings that stand for tokens to come. Where the
 * model is sure of what stands at their places, those tokens become text; where it is not, the pass makes one token.
 *
 * @throws `INVALID_OPTION`
 * @see Sun et al. 2024, "Decoding at the Speed of Thought: Harnessing Parallel Decoding of Lexical Units for LLMs",
 * https://arxiv.org/abs/2405.15208
 */
export function lud(options: LudOptions): Decoder {
  const { verify, onKept, ...draft } = parseOptions(NAME, optionsSchema, options);
  const decoder = speculative({
    drafters: sureDraft(draft, { name: NAME, isVerified: verify }),
    verifier: verify ? drawAndMatch() : confidenceGate({ guarantee: unverified(draft), onKept }),
  });
  return { ...decoder, name: NAME };
}

/** Without paddings, or with none that can be sure enough, every token is the target's own. */
function unverified({
  lookAhead,
  threshold,
}: {
  readonly lookAhead?: number;
  readonly threshold?: number;
}): Guarantee {
  if (lookAhead === 1) return { level: "identical", reasons: [`${NAME} with lookAhead 1 guesses nothing`] };
  if (threshold !== undefined && threshold > 1) {
    return { level: "identical", reasons: [`${NAME} at threshold ${threshold} keeps no guess`] };
  }
  return {
    level: "altered",
    reasons: [
      `${NAME} keeps guesses from a confidence of ${threshold ?? "the head's threshold"} on, unverified, instead of what the ` +
        "weights as they were loaded say",
    ],
  };
}
