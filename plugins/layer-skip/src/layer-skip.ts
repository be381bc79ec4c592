import { type DraftSource, type LayerSet, type Model, parseOptions } from "@foretoken/core";
import { SelfDraft, selfDraftCost } from "@foretoken/drafting";
import { knownLayers } from "./known-layers.ts";
import { type LayerSkipOptions, optionsSchema } from "./options.ts";

const NAME = "layer-skip";

/**
 * The target itself as its own draft, with some of its layers left out. No second model and no second cache: the draft
 * sees what the target computed for the text, with all layers.
 *
 * @throws `INVALID_OPTION`
 * @see Zhang et al. 2024, "Draft & Verify", https://arxiv.org/abs/2309.08168
 */
export function layerSkip(options: LayerSkipOptions = {}): DraftSource {
  const { layers } = parseOptions(NAME, optionsSchema, options);
  const layersFor = (target: Model) => layers ?? knownLayers(target);
  return {
    name: NAME,
    passCost: (target) => selfDraftCost(layersFor(target)?.length ?? target.layers, target.layers),
    requirements: () => ({ gates: true }),
    unsupported: (target) => misfits(target, layersFor(target)),
    start: ({ session, model }) => {
      const set = layerSet(model, layersFor(model) ?? []);
      return new SelfDraft({
        session,
        plan: () => ({ layersAt: () => set, nextChange: () => Number.POSITIVE_INFINITY }),
        endTokens: new Set(model.tokenizer?.endTokens),
      });
    },
  };
}

function misfits(target: Model, layers: readonly number[] | undefined): readonly string[] {
  if (layers === undefined) {
    return [
      `${NAME} knows no layers that draft well for ${target.id}: name those that run, { layers: [0, 1, …] }.`,
    ];
  }
  const unknown = layers.find((layer) => layer >= target.layers);
  return unknown === undefined
    ? []
    : [
        `${NAME} was told to run layer ${unknown}, but ${target.id} has the layers 0 to ${target.layers - 1}.`,
      ];
}

function layerSet(target: Model, layers: readonly number[]): LayerSet {
  return Array.from({ length: target.layers }, (_, layer) => layers.includes(layer));
}
