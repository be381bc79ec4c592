import { type Drafter, parseOptions, type RowInput } from "@foretoken/core";
import { GivenPart, modelPlan, probeDrafter, type TrainedPart } from "@foretoken/drafting";
import type { GraphExtension } from "@foretoken/runtime";
import { type HiddenTransferOptions, optionsSchema } from "./options.ts";
import { transferExtensions, transferInputs } from "./transfer-extensions.ts";
import { loadTransferMaps, type TransferShape } from "./transfer-maps.ts";

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
  let pseudoRows: readonly Omit<RowInput, "parent">[] = [];

  return probeDrafter({
    name: NAME,
    ranks: RANKS,
    shape: () => given.part.manifest.shape,
    probe: (step) => pseudoRows[step - 1]!,
    plan: (model) => {
      const { accuracy } = given.part.manifest.shape;
      return modelPlan(model, { source: NAME, accuracy, rows, foreignProbes });
    },
    requirements: () => ({ extensions }),
    unsupported: (model) => given.unsupported(model),
    prepare: async (model) => {
      const maps = await given.prepare(model);
      if (extensions.length > 0) return;
      extensions = transferExtensions(maps);
      pseudoRows = pseudoRowsOf(maps, source);
    },
  });
}

/** The row of each step: fed nothing, as the maps fill it. */
function pseudoRowsOf(
  maps: TrainedPart<TransferShape>,
  source: "node" | "previous",
): readonly Omit<RowInput, "parent">[] {
  const inputs = transferInputs(maps);
  const { layers, width } = maps.manifest.shape;
  const embedding = new Float32Array(width);
  return layers.map((_, index) => ({
    embedding,
    integers: { [inputs.step]: index + 1, [inputs.source]: source === "node" ? index + 1 : 1 },
  }));
}
