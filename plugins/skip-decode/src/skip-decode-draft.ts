import { type DraftSource, type Model, parseOptions } from "@foretoken/core";
import { SelfDraft, selfDraftCost } from "@foretoken/drafting";
import { BucketPlan } from "./bucket-plan.ts";
import { LayerBuckets } from "./layer-buckets.ts";
import { optionsSchema, type SkipDecodeOptions } from "./options.ts";

const NAME = "skip-decode-draft";

/**
 * The schedule of {@link skipDecode} as a draft source: the target drafts with the layers left that the schedule runs, and
 * verifies with all of them. The text is the target's own.
 *
 * @throws `INVALID_OPTION`
 */
export function skipDecodeDraft(options: SkipDecodeOptions = {}): DraftSource {
  const read = parseOptions(NAME, optionsSchema, options);
  const bucketsOf = (model: Model) => new LayerBuckets(read, model.layers);
  return {
    name: NAME,
    passCost: (model) => {
      const { most, fewest, layers } = bucketsOf(model);
      return selfDraftCost((most + fewest) / 2, layers);
    },
    requirements: () => ({ gates: true }),
    unsupported: (model) => bucketsOf(model).misfits(NAME, model),
    start: ({ model, session }) => {
      const buckets = bucketsOf(model);
      return new SelfDraft({
        session,
        plan: (promptTokens) => new BucketPlan(buckets, read, promptTokens),
        endTokens: new Set(model.tokenizer?.endTokens),
      });
    },
  };
}
