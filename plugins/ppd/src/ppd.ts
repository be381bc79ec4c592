import { type Drafter, parseOptions } from "@foretoken/core";
import { GivenPart, modelPlan, probeDrafter } from "@foretoken/drafting";
import { optionsSchema, type PpdOptions } from "./options.ts";
import { loadPromptTokens, promptToken } from "./prompt-tokens.ts";

const NAME = "ppd";
/** Candidates that are read of each prompt token: as many as accuracies are kept of. */
const RANKS = 10;

/**
 * Parallel prompt decoding: trained embeddings, the prompt tokens, stand in for the tokens to come. They run along in the pass that
 * verifies the last draft, under each of its nodes, and their logits are the next draft.
 *
 * @throws `INVALID_OPTION`
 * @see Chen et al. 2024, "Hardware-Aware Parallel Prompt Decoding for Memory-Efficient Acceleration of LLM Inference",
 * https://arxiv.org/abs/2405.18628
 */
export function ppd(options: PpdOptions): Drafter {
  const { head, rows, foreignProbes } = parseOptions(NAME, optionsSchema, options);
  const given = new GivenPart(head, loadPromptTokens, NAME);
  let embeddings: Float32Array = new Float32Array();

  return probeDrafter({
    name: NAME,
    ranks: RANKS,
    shape: () => given.part.manifest.shape,
    probe: (step, copy) => ({ embedding: promptToken(embeddings, given.part.manifest.shape, step, copy) }),
    plan: (model) => {
      const { accuracy, copies } = given.part.manifest.shape;
      return modelPlan(model, { source: NAME, accuracy, rows, copies, foreignProbes });
    },
    unsupported: (model) => given.unsupported(model),
    prepare: async (model) => {
      const part = await given.prepare(model);
      if (embeddings.length === 0) embeddings = part.floats("embeddings");
    },
  });
}
