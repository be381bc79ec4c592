import type { TokenLaw } from "@foretoken/core";
import type { Growth } from "./source-drafter.ts";

/** A node that a tree may grow behind. */
export interface Tip {
  /** Index in the tree. */
  readonly node: number;
  /** Draft probability of the tokens from the root down to here; 1 for the root. */
  readonly probability: number;
}

/** Where every tree begins to grow. */
export const ROOT_TIP: Tip = { node: 0, probability: 1 };

/**
 * Draws the tokens behind one node without replacement, one at a time, and adds each to the tree with the law it was drawn
 * from. Drawing order is the order in which a verifier must try them.
 *
 * One draw after the other from what is left of the law is the Gumbel-Top-k trick in descending order of its keys, without a
 * key for every token of the vocabulary.
 *
 * @see Kool et al. 2019, "Stochastic Beams and Where to Find Them", https://arxiv.org/abs/1903.06059
 */
export class SiblingDraws {
  /** The node behind which they stand. */
  readonly tip: Tip;
  readonly #growth: Growth;
  /** The draft's law behind the node, and what is left of it. */
  readonly #law: TokenLaw | undefined;
  #rest: TokenLaw | undefined;
  #drawn = 0;

  private constructor(growth: Growth, tip: Tip, law: TokenLaw | undefined) {
    this.#growth = growth;
    this.tip = tip;
    this.#law = law;
    this.#rest = law;
  }

  /**
   * One draft pass.
   * @returns What to draw behind each of `tips`, in order.
   */
  static async behind(growth: Growth, tips: readonly Tip[]): Promise<readonly SiblingDraws[]> {
    if (tips.length === 0) return [];
    const laws = await growth.expand(tips.map(({ node }) => node));
    return tips.map((tip, index) => new SiblingDraws(growth, tip, laws[index]));
  }

  /**
   * Probability that a text drawn from the draft passes through this node and behind it holds none of the siblings drawn so
   * far: what is left for the next one. 0 when there is nothing to draw, such as behind an end token.
   */
  get mass(): number {
    return this.#rest === undefined ? 0 : this.tip.probability * Math.max(0, 1 - this.#drawn);
  }

  /**
   * Draws the next sibling; {@link SiblingDraws.mass} must be above 0. Whether to draw is decided before and never taken
   * back: dropping a token because of what it is would change the law of the text.
   */
  draw(): Tip {
    const { tree, name } = this.#growth;
    const law = this.#rest!;
    const token = law.draw(this.#growth.uniform());
    const share = this.#law!.probability(token);
    this.#drawn += share;
    this.#rest = law.without(token);
    return {
      node: tree.add(this.tip.node, token, law, name),
      probability: this.tip.probability * share,
    };
  }
}
