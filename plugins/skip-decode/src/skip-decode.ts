import { type Guarantee, type LayerSchedule, parseOptions } from "@foretoken/core";
import { BucketPlan } from "./bucket-plan.ts";
import { LayerBuckets } from "./layer-buckets.ts";
import { optionsSchema, type ReadOptions, type SkipDecodeOptions } from "./options.ts";

const NAME = "skip-decode";

/**
 * A layer schedule by position alone: the further an answer goes, the fewer layers run. Layers are left out from the bottom up
 * behind the first few, so that what still runs finds keys and values of the whole text.
 *
 * @throws `INVALID_OPTION`
 * @see Del Corro et al. 2023, "SkipDecode", section 3, https://arxiv.org/abs/2307.02628
 */
export function skipDecode(options: SkipDecodeOptions = {}): LayerSchedule {
  const read = parseOptions(NAME, optionsSchema, options);
  return {
    name: NAME,
    guarantee: () => guaranteeOf(read),
    unsupported: (model) => new LayerBuckets(read, model.layers).misfits(NAME, model),
    plan: (model, promptTokens) => new BucketPlan(new LayerBuckets(read, model.layers), read, promptTokens),
  };
}

/** Only a factor of 1 leaves nothing out of every model; a number of layers may be all of one and few of another. */
function guaranteeOf({ factor, maxLayers, minLayers }: ReadOptions): Guarantee {
  const isWhole = factor === 1 && maxLayers === undefined && minLayers === undefined;
  return isWhole
    ? { level: "identical", reasons: [`${NAME} at factor 1 leaves no layer out`] }
    : { level: "altered", reasons: [`${NAME} leaves out layers of later tokens`] };
}
