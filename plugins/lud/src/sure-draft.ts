import type { Drafter, Model } from "@foretoken/core";
import { GivenPart, partMisfit, probeDrafter } from "@foretoken/drafting";
import { ConfidentDrafting } from "./confident-drafting.ts";
import { type LexicalUnits, type LexicalUnitsShape, loadLexicalUnits } from "./lexical-units.ts";
import type { ReadDraftOptions } from "./options.ts";
import { repetitions } from "./repetition.ts";
import { unitPlan } from "./unit-plan.ts";

/** How a draft of paddings is used. */
export interface DraftUse {
  /** Name of the drafter, and of its nodes' source. */
  readonly name: string;
  /** Whether a verifier may refuse any of its nodes. Else they become text, and no other drafter may take part. */
  readonly isVerified: boolean;
}

/** Drafts the lexical unit behind the newest token: one guess of each padding, as far as all are sure. */
export function sureDraft(options: ReadDraftOptions, { name, isVerified }: DraftUse): Drafter {
  const { head, repetition, allowUntrained } = options;
  const given = new GivenPart(head, loadLexicalUnits, name, allowUntrained ? widthMisfit : partMisfit);
  let embeddings: Float32Array = new Float32Array();

  const shape = (): LexicalUnitsShape => given.part.manifest.shape;
  const paddings = () => Math.min(options.lookAhead ?? Number.POSITIVE_INFINITY, shape().lookAhead) - 1;
  const threshold = () => options.threshold ?? shape().threshold;
  const drafter = probeDrafter({
    name,
    ranks: 1,
    shape: () => ({ steps: paddings() }),
    probe: (step) => ({ embedding: paddingAt(embeddings, shape().width, step) }),
    plan: ({ tokenizer }) =>
      unitPlan({
        source: name,
        paddings: paddings(),
        threshold: threshold(),
        repeats: repetitions(repetition, tokenizer),
        endTokens: new Set(tokenizer?.endTokens),
        under: isVerified ? "own" : "last",
      }),
    unsupported: (model) => given.unsupported(model),
    prepare: async (model) => {
      const part = await given.prepare(model);
      if (embeddings.length === 0) embeddings = part.floats("embeddings");
    },
  });
  return {
    ...drafter,
    start: (context) =>
      new ConfidentDrafting(drafter.start(context), { threshold: threshold(), appliesLaw: !isVerified }),
  };
}

/** The embedding of a padding `[D]`, steps from 1. A view of `embeddings`. */
function paddingAt(embeddings: Float32Array, width: number, step: number): Float32Array {
  return embeddings.subarray((step - 1) * width, step * width);
}

/** Why paddings cannot even be fed to a model, whatever its weights. */
function widthMisfit({ base, ...manifest }: LexicalUnits["manifest"], target: Model): string | undefined {
  return partMisfit({ ...manifest, base: { ...base, sha256: target.contentHash } }, target);
}
