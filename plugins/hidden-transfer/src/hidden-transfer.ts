import { type Drafter, type Model, parseOptions, type RowInput } from "@foretoken/core";
import {
  affordableTrees,
  bestProbeTrees,
  GivenPart,
  type ProbePlan,
  probeDrafter,
  statePlan,
} from "@foretoken/drafting";
import type { GraphExtension } from "@foretoken/runtime";
import { type HiddenTransferOptions, optionsSchema } from "./options.ts";
import { transferExtensions, transferInputs } from "./transfer-extensions.ts";
import { loadTransferMaps } from "./transfer-maps.ts";

const NAME = "hidden-transfer";
/** Candidates that are read of each pseudo row: as many as accuracies are kept of. */
const RANKS = 10;

/**
 * Hidden transfer: in the middle of the network, trained linear maps turn the state of a row into pseudo states of the tokens behind it.
 * The layers that follow refine them as rows of their own, in the pass that verifies the last draft, and their logits are the next draft.
 *
 * @throws `INVALID_OPTION`
 * @see Wu et al. 2024, "Parallel Decoding via Hidden Transfer for Lossless Large Language Model Acceleration",
 * https://arxiv.org/abs/2404.12022
 */
export function hiddenTransfer(options: HiddenTransferOptions): Drafter {
  const { head, rows, foreignProbes, source } = parseOptions(NAME, optionsSchema, options);
  const given = new GivenPart(head, loadTransferMaps, NAME);
  let extensions: readonly GraphExtension[] = [];

  const planFor = (model: Model): ProbePlan => {
    const { accuracy } = given.part.manifest.shape;
    return statePlan({
      source: NAME,
      trees: rows === "auto" ? affordableTrees(accuracy, model.cost) : bestProbeTrees(accuracy, { rows }),
      foreignProbes,
      endTokens: new Set(model.tokenizer?.endTokens),
    });
  };
  const pseudoRow = (step: number, { width }: Model): Omit<RowInput, "parent"> => {
    const inputs = transferInputs(given.part);
    const levels = source === "node" ? step : 1;
    return { embedding: new Float32Array(width), integers: { [inputs.step]: step, [inputs.source]: levels } };
  };
  return probeDrafter({
    name: NAME,
    ranks: RANKS,
    shape: () => given.part.manifest.shape,
    probe: (step, _copy, model) => pseudoRow(step, model),
    plan: planFor,
    requirements: () => ({ extensions }),
    unsupported: (model) => given.unsupported(model),
    prepare: async (model) => {
      const maps = await given.prepare(model);
      if (extensions.length === 0) extensions = transferExtensions(maps);
    },
  });
}
