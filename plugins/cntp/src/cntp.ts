import { type Decoder, type Guarantee, guaranteeOf, parseOptions, plain } from "@foretoken/core";
import { CntpDecoding } from "./cntp-decoding.ts";
import { type CntpOptions, optionsSchema } from "./options.ts";
import { punctuationTest } from "./punctuation.ts";

const NAME = "cntp";

/**
 * Cautious Next Token Prediction: where the law of the next token has a high entropy, several continuations are drawn up to the
 * next punctuation, and the one with the lowest perplexity becomes text. Everywhere else the inner decoder decodes.
 *
 * @throws `INVALID_OPTION`
 * @see Wang et al. 2025, "Cautious Next Token Prediction", Algorithm 1, https://arxiv.org/abs/2507.03038
 */
export function cntp(options: CntpOptions = {}): Decoder {
  const { decoder: inner = plain(), punctuation, ...rule } = parseOptions(NAME, optionsSchema, options);
  const isInner = rule.maxTrials === 1;
  const needsTokenizer = !isInner && typeof punctuation === "string";
  return {
    name: NAME,
    schedule: inner.schedule,
    requirements: (model) => inner.requirements(model),
    unsupported: (model) => [
      ...inner.unsupported(model),
      ...(needsTokenizer && model.tokenizer === undefined
        ? [`${model.id} has no tokenizer to find punctuation with: pass punctuation as token ids.`]
        : []),
    ],
    prepare: async (model, options) => inner.prepare?.(model, options),
    guarantee: () => guaranteeAround(inner.guarantee(), isInner),
    start: (context) => {
      if (isInner) return inner.start(context);
      return new CntpDecoding(inner.start(context), {
        ...rule,
        maxTrialTokens: rule.maxTrialTokens || Number.POSITIVE_INFINITY,
        isPunctuation: punctuationTest(punctuation, context.model.tokenizer),
      });
    },
  };
}

function guaranteeAround(inner: Guarantee, isInner: boolean): Guarantee {
  return isInner
    ? { level: inner.level, reasons: [...inner.reasons, "one trial is no choice"] }
    : guaranteeOf([
        inner,
        {
          level: "altered",
          reasons: ["where the model is unsure, the likeliest of several continuations is kept"],
        },
      ]);
}
