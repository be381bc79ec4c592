import type {
  Drafting,
  LawState,
  Pass,
  Probe,
  ProposeContext,
  Round,
  Session,
  TokenId,
  TokenTree,
} from "@foretoken/core";

/** Options of {@link ConfidentDrafting}. */
export interface ConfidentDraftingOptions {
  /** `β` */
  readonly threshold: number;
  /**
   * Whether the draft must be what the processed law of a padding likes best, as it becomes text unverified. All paddings must then hang
   * under one node.
   */
  readonly appliesLaw: boolean;
}

/** What was read in the last round. */
interface Reading {
  /** The target's probability of the newest token, under its own logits. */
  readonly confidence: number;
  /** Logits `[V]` of the paddings, in order; none where the law is their argmax. */
  readonly logits: readonly Float32Array[];
}

/**
 * Cuts a chain of paddings' guesses where no one is sure: all of it when the target itself was not sure of the newest token, on which
 * everything behind it rests, and from the first guess that bans, penalties and processors would change.
 *
 * For thresholds above 0.5 that is the whole rule: whatever token processing puts in the place of such a guess is not sure enough.
 */
export class ConfidentDrafting implements Drafting {
  readonly #inner: Drafting;
  readonly #options: ConfidentDraftingOptions;
  #reading: Reading;
  /** Known from the first proposal on. */
  #isPlainGreedy = false;

  constructor(
    inner: Drafting,
    options: ConfidentDraftingOptions,
    reading: Reading = { confidence: 0, logits: [] },
  ) {
    this.#inner = inner;
    this.#options = options;
    this.#reading = reading;
  }

  async propose(root: TokenId, limit: number, context: ProposeContext): Promise<TokenTree> {
    this.#isPlainGreedy = context.law.isPlainGreedy;
    const chain = await this.#inner.propose(root, limit, context);
    if (this.#reading.confidence < this.#options.threshold) return chain.first(0);
    return chain.first(this.#allowed(chain, context.law));
  }

  probes(tree: TokenTree, limit: number): readonly Probe[] {
    return this.#inner.probes?.(tree, limit) ?? [];
  }

  async observe(round: Round): Promise<void> {
    const { pass, committed, next, probes } = round;
    if (next !== undefined) {
      const readsLogits = this.#options.appliesLaw && !this.#isPlainGreedy;
      this.#reading = {
        confidence: await confidenceIn(pass, committed.at(-1)!, next),
        logits: readsLogits
          ? await Promise.all(probes.map(async (row) => (await pass.logits(row)).slice()))
          : [],
      };
    }
    await this.#inner.observe(round);
  }

  fork(session: Session): Drafting {
    return new ConfidentDrafting(this.#inner.fork(session), this.#options, this.#reading);
  }

  truncate(length: number): void {
    this.#inner.truncate(length);
  }

  dispose(): void {
    this.#inner.dispose();
  }

  /** How many guesses of a chain are what the law behind the ones before likes best. */
  #allowed(chain: TokenTree, law: LawState): number {
    if (!this.#options.appliesLaw || law.isPlainGreedy) return chain.size;
    let behind = law;
    for (const [index, { token }] of chain.nodes.slice(1).entries()) {
      if (index > 0) behind = behind.advance(chain.nodes[index].token);
      if (behind.lawOf(this.#reading.logits[index], { temperature: 0 }).mode() !== token) return index;
    }
    return chain.size;
  }
}

/** Probability of a token under the softmax of a row's own logits. */
async function confidenceIn(pass: Pass, row: number, token: TokenId): Promise<number> {
  const { ids, logProbabilities } = await pass.topK(row, 1);
  if (ids[0] === token) return Math.exp(logProbabilities[0]);
  const logits = await pass.logits(row);
  return Math.exp(logits[token] - (await pass.logSumExp(row)));
}
